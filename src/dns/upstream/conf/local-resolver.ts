import { parseResolvConf, type ResolvConf } from './resolv-conf.ts'
import { isLocal } from './server.ts'

/** Where systemd-resolved writes the servers behind its own 127.0.0.53. */
export const systemdResolvConf = '/run/systemd/resolve/resolv.conf'

export interface ResolvConfTexts {
  /** What resolv.conf holds. */
  readonly text: string
  /** What systemd-resolved's file holds, where there is one. */
  readonly systemd: string | undefined
  /** Whether a resolver on this machine's 127.0.0.1 can be reached from where we ask. */
  readonly mainNamespace: boolean
}

/** The configuration that holds, and what is to be said about it. */
export interface ChosenConf {
  readonly conf: ResolvConf
  readonly notices: readonly string[]
}

/**
 * In a network namespace of one's own 127.0.0.53 is another machine's, so to speak: servers on it cannot be asked
 * from there. What systemd-resolved asks itself can; if even that is not to be had, the user is told.
 */
export function chooseResolvConf({ text, systemd, mainNamespace }: ResolvConfTexts): ChosenConf {
  const conf = parseResolvConf(text)
  const remote = conf.servers.filter(server => !isLocal(server))
  if (mainNamespace || remote.length === conf.servers.length) return { conf, notices: conf.nonsense }
  if (remote.length > 0) return { conf: { ...conf, servers: remote }, notices: conf.nonsense }
  const behind = systemd === undefined ? undefined : parseResolvConf(systemd)
  const servers = behind?.servers.filter(server => !isLocal(server)) ?? []
  if (behind && servers.length > 0) return { conf: { ...behind, servers }, notices: behind.nonsense }
  const local = conf.servers.map(({ address }) => address).join(', ')
  return {
    conf: { ...conf, servers: [] },
    notices: [
      ...conf.nonsense,
      `The name server ${local} is a local resolver, which cannot be reached from this network namespace. Name one that can with --upstream ADDRESS.`,
    ],
  }
}
