import { macBytes } from '../base/index.ts'
import { NetlinkError, NLM_F_CREATE, NLM_F_EXCL, type Request, request } from '../netlink/index.ts'
import type { AddrGenMode, LinkChange, LinkSettings, LinkSpec, PeerSpec } from './link-spec.ts'
import { checkName } from './names.ts'
import type { LinkRef, Names, Operation } from './operation.ts'
import {
  IFF_UP,
  type LinkAttributes,
  type LinkToWrite,
  linkMessage,
  RTM_DELLINK,
  RTM_NEWLINK,
} from './wire/index.ts'

export const addrGenModes: readonly AddrGenMode[] = ['eui64', 'none', 'stable-secret', 'random']

/** Creates an interface. What the kernel does not take at creation follows in a second message. */
export function addLink(spec: LinkSpec): Operation {
  const op = `create ${spec.kind}`
  checkName(op, spec.name)
  if (spec.peer) checkName(op, spec.peer.name)
  const about = { op, target: spec.name }
  return {
    refers: refersTo(spec.master),
    creates: { name: spec.name, index: spec.index },
    requests(names) {
      const later = settleLater(spec)
      const create = {
        index: names.given(spec.name),
        ...(later ? {} : flagsOf(spec.up)),
        attributes: { ...settingsOf(spec, masterOf(spec, names)), name: spec.name, linkInfo: infoOf(spec) },
      }
      const flags = NLM_F_CREATE | NLM_F_EXCL
      const first = request(linkMessage, create, { type: RTM_NEWLINK, flags, ...about })
      return later ? [first, request(linkMessage, later, { type: RTM_NEWLINK, ...about })] : [first]
    },
  }
}

/**
 * A veth comes up only once its peer is where it belongs; and rtnl_newlink_create() passes over IFLA_AF_SPEC.
 * What moves to another namespace is out of reach afterwards, so it comes up at once.
 */
function settleLater(spec: LinkSpec): LinkToWrite | undefined {
  const veth = spec.kind === 'veth' && spec.up !== undefined
  if (spec.namespace || (!veth && spec.addrGenMode === undefined)) return undefined
  return { ...flagsOf(spec.up), attributes: { ...familiesOf(spec.addrGenMode), name: spec.name } }
}

/** Changes an interface that is there. */
export function changeLink(change: LinkChange): Operation {
  const which = change.index ?? change.name
  const op = 'change link'
  if (which === undefined) throw nameless(op)
  if (change.newName !== undefined) checkName(op, change.newName)
  const byIndex = change.index !== undefined || change.newName !== undefined
  return {
    refers: [...refersTo(change.master), ...(byIndex ? [which] : [])],
    requests(names) {
      const name = change.newName ?? (byIndex ? undefined : change.name)
      const attributes = {
        ...settingsOf(change, masterOf(change, names)),
        ...familiesOf(change.addrGenMode),
        name,
        linkInfo: changedInfo(change),
      }
      const value = { index: byIndex ? names.indexOf(which) : 0, ...flagsOf(change.up), attributes }
      return [request(linkMessage, value, { type: RTM_NEWLINK, op, target: `${which}` })]
    },
  }
}

export function removeLink(link: LinkRef): Operation {
  const value = typeof link === 'number' ? { index: link } : { attributes: { name: link } }
  return only(request(linkMessage, value, { type: RTM_DELLINK, op: 'remove link', target: `${link}` }))
}

export function removeGroup(group: number): Operation {
  const value = { attributes: { group } }
  return only(request(linkMessage, value, { type: RTM_DELLINK, op: 'remove group', target: `${group}` }))
}

/** An operation that needs no names: one message, known at once. */
export function only(request: Request): Operation {
  return { refers: [], requests: () => [request] }
}

function refersTo(master: LinkRef | null | undefined): LinkRef[] {
  return master === undefined || master === null ? [] : [master]
}

function flagsOf(up: boolean | undefined): Pick<LinkToWrite, 'flags' | 'change'> {
  return up === undefined ? {} : { flags: up ? IFF_UP : 0, change: IFF_UP }
}

function familiesOf(mode: AddrGenMode | undefined): LinkAttributes {
  return mode === undefined ? {} : { families: { ipv6: { addrGenMode: addrGenModes.indexOf(mode) } } }
}

function settingsOf(settings: Omit<LinkSettings, 'master'>, master?: number): LinkAttributes {
  const { mac, mtu, txQueueLength, group, alias, namespace } = settings
  return {
    namespaceFd: namespace?.fd,
    mac: mac === undefined ? undefined : macBytes(mac),
    mtu,
    txQueueLength,
    master,
    group,
    alias,
  }
}

function masterOf({ master }: LinkSettings, names: Names): number | undefined {
  return master === null ? 0 : master === undefined ? undefined : names.indexOf(master)
}

function infoOf(spec: LinkSpec): LinkAttributes['linkInfo'] {
  const { kind, bridge, peer } = spec
  return { kind, bridge, veth: peer && { peer: peerMessage(peer) } }
}

function peerMessage(peer: PeerSpec): LinkToWrite & { attributes: LinkAttributes } {
  const { name, index = 0, ...settings } = peer
  const attributes = { ...settingsOf(settings), name }
  return { index, ...flagsOf(peer.up), attributes }
}

function changedInfo({ bridge, port }: LinkChange): LinkAttributes['linkInfo'] {
  if (bridge === undefined && port === undefined) return undefined
  return { ...(bridge && { kind: 'bridge', bridge }), ...(port && { slaveKind: 'bridge', port }) }
}

function nameless(op: string): NetlinkError {
  return new NetlinkError({ code: 'LINK_NAME', kind: 'usage', op, reason: 'it needs a name or an index' })
}
