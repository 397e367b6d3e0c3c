import type { UpstreamStatus } from '../types.ts'
import { Type } from '../wire/constants.ts'
import { ancestry, nameBytes, nameKey } from '../wire/name.ts'
import type { Question } from '../wire/question.ts'
import type { Cancellable } from './cancellation.ts'
import { ConfFile } from './conf/conf-file.ts'
import type { ChosenConf } from './conf/local-resolver.ts'
import { parseServer } from './conf/server.ts'
import { badZone } from './failure.ts'
import { Group, type GroupOptions, type Policy, plainConf } from './group.ts'
import type { AnswerReceiver } from './hedge.ts'
import type { Upstream, UpstreamBehaviour } from './upstream.ts'

/** The name servers of a domain, and whether their AD bit counts. */
export interface ZoneServers {
  readonly domain: string
  readonly upstreams: readonly string[]
  readonly trustAd?: boolean
}

export interface UpstreamsOptions {
  readonly upstreams?: readonly string[] | undefined
  readonly resolvConf: string
  readonly mainNamespace: boolean
  readonly zones: readonly ZoneServers[]
  readonly policy: Policy
  readonly hedgeMs: number
  readonly behaviour: UpstreamBehaviour
  readonly notice: (text: string) => void
  /** Called with servers that were not in use before. */
  readonly onNew: (upstreams: readonly Upstream[]) => void
}

const root = '\0'

/** All name servers: those of resolv.conf or the command line, and those for single domains. */
export class Upstreams {
  readonly #options: UpstreamsOptions
  readonly #file: ConfFile | undefined
  readonly #main: Group
  /** By the key of their domain's name. */
  readonly #zones = new Map<string, Group>()

  constructor(options: UpstreamsOptions) {
    this.#options = options
    const { upstreams, resolvConf, mainNamespace, zones } = options
    for (const zone of zones) this.#addZone(zone)
    if (upstreams) {
      this.#main = this.#group('.', upstreams)
    } else {
      this.#file = new ConfFile(resolvConf, mainNamespace)
      this.#main = this.#group('.', [])
      this.#follow(this.#file.read())
    }
    options.onNew(this.#all())
  }

  /** Queries the servers of the name's nearest domain. */
  ask(question: Question, receiver: AnswerReceiver): Cancellable {
    const conf = this.#file?.changed(this.#options.behaviour.clock.now())
    if (conf) this.#follow(conf, true)
    return this.#groupFor(question.key).ask(question, receiver)
  }

  /** Reads resolv.conf again, and forgets what is known of every server. */
  reload(): void {
    if (this.#file) this.#follow(this.#file.read())
    for (const upstream of this.#all()) upstream.forget()
    this.#options.onNew(this.#all())
  }

  status(): UpstreamStatus[] {
    return this.#groups().flatMap(({ upstreams, zone }) => upstreams.map(upstream => upstream.status(zone)))
  }

  async close(): Promise<void> {
    await Promise.all(this.#groups().map(group => group.close()))
  }

  #groups(): Group[] {
    return [this.#main, ...this.#zones.values()]
  }

  #all(): Upstream[] {
    return this.#groups().flatMap(({ upstreams }) => upstreams)
  }

  /** True when servers that were named for a domain answer this question. */
  isZoned(key: string): boolean {
    return this.#groupFor(key) !== this.#main
  }

  #groupFor(key: string): Group {
    if (this.#zones.size === 0) return this.#main
    const name = key.slice(0, -5)
    // The parent of a zone has its DS records (RFC 4035 §3.1.4.1).
    const isDs = key.charCodeAt(name.length) === 0 && key.charCodeAt(name.length + 1) === Type.DS
    for (const ancestor of ancestry(name)) {
      const group = isDs && ancestor === name && name !== root ? undefined : this.#zones.get(ancestor)
      if (group) return group
    }
    return this.#main
  }

  /**
   * A file that has become empty or unreadable is usually being written: the servers that it named before
   * stay in use.
   */
  #follow({ conf, notices }: ChosenConf, tellNew = false): void {
    for (const notice of notices) this.#options.notice(notice)
    if (conf.servers.length === 0 && this.#main.upstreams.length > 0) return
    const before = new Set(this.#main.upstreams)
    this.#main.use(conf)
    if (tellNew) this.#options.onNew(this.#main.upstreams.filter(upstream => !before.has(upstream)))
  }

  #addZone({ domain, upstreams, trustAd }: ZoneServers): void {
    const name = nameBytes(domain)
    if (!name) throw badZone(domain)
    this.#zones.set(nameKey(name), this.#group(domain, upstreams, trustAd))
  }

  #group(zone: string, servers: readonly string[], trustAd = false): Group {
    const { behaviour, policy, hedgeMs } = this.#options
    const options: GroupOptions = { zone, behaviour, policy, hedgeMs }
    return new Group({ ...plainConf, trustAd, servers: servers.map(parseServer) }, options)
  }
}
