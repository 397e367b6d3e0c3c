import { settingText } from '../../../base/index.ts'
import { parseResolvConf, type ResolvConf } from './resolv-conf.ts'
import { isLocal } from './server.ts'

/** Where systemd-resolved writes the servers behind its own 127.0.0.53. */
export const systemdResolvConf = '/run/systemd/resolve/resolv.conf'

export interface ResolvConfTexts {
  /** The contents of resolv.conf. */
  readonly text: string
  /** The contents of systemd-resolved's file, where it exists. */
  readonly systemd: string | undefined
  /** True when a resolver on this machine's 127.0.0.1 can be reached from this namespace. */
  readonly mainNamespace: boolean
}

/** The configuration to use, and notices about it. */
export interface ChosenConf {
  readonly conf: ResolvConf
  readonly notices: readonly string[]
}

/**
 * In another network namespace 127.0.0.53 is a different address: name servers on it cannot be reached from
 * there. The servers that systemd-resolved uses can be. If those are unknown too, a notice says what to do.
 */
export function chooseResolvConf({ text, systemd, mainNamespace }: ResolvConfTexts): ChosenConf {
  const conf = parseResolvConf(text)
  const remote = conf.servers.filter(server => !isLocal(server))
  if (mainNamespace || remote.length === conf.servers.length) return { conf, notices: conf.badLines }
  if (remote.length > 0) return { conf: { ...conf, servers: remote }, notices: conf.badLines }
  const behind = systemd === undefined ? undefined : parseResolvConf(systemd)
  const servers = behind?.servers.filter(server => !isLocal(server)) ?? []
  if (behind && servers.length > 0) return { conf: { ...behind, servers }, notices: behind.badLines }
  const local = conf.servers.map(({ address }) => address).join(', ')
  return {
    conf: { ...conf, servers: [] },
    notices: [
      ...conf.badLines,
      `The name server ${local} is a local resolver, which cannot be reached from this network namespace. Give one that can be reached as ${settingText('upstream')}.`,
    ],
  }
}
