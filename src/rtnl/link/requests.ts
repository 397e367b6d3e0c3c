import { macBytes } from '../../base/index.ts'
import { NetlinkError, NLM_F_CREATE, NLM_F_EXCL, type Request, request } from '../../netlink/index.ts'
import { missingLinkKind } from '../missing.ts'
import { checkName, named } from '../names.ts'
import type { Created, LinkRef, Names, Operation } from '../operation.ts'
import { take } from '../takes.ts'
import {
  AF_BRIDGE,
  IFF_ALLMULTI,
  IFF_MULTICAST,
  IFF_NOARP,
  IFF_PROMISC,
  IFF_UP,
  type LinkAttributes,
  type LinkToWrite,
  linkMessage,
  portMessage,
  RTM_NEWLINK,
  RTM_SETLINK,
} from '../wire/index.ts'
import { addrGenModes } from '../words.ts'
import { kindInfo, kindOf, kindRefers } from './kinds.ts'
import type { AddrGenMode, LinkChange, LinkSettings, LinkSpec, PeerSpec, PortSettings } from './spec.ts'

/** Creates an interface. Settings that the kernel does not accept at creation follow in messages of their own. */
export function addLink(spec: LinkSpec): Operation {
  take('create link', spec, 'LinkSpec')
  const op = `create ${spec.kind}`
  checkName(op, spec.name)
  if (spec.peer) checkPeer(spec, spec.peer)
  const about = { type: RTM_NEWLINK, op, target: spec.name }
  const { create, after } = stepsOf(spec)
  return {
    refers: [...refersTo(spec.master), ...refersTo(spec.link), ...kindRefers(spec)],
    lacks: [missingLinkKind(spec.kind)],
    creates: createdBy(spec),
    requests(names) {
      const attributes = {
        ...settingsOf(spec, masterOf(spec, names)),
        link: spec.link === undefined ? undefined : names.indexOf(spec.link),
        name: spec.name,
        ...{ txQueues: spec.txQueues, rxQueues: spec.rxQueues },
        linkInfo: infoOf(spec, names),
      }
      const index = spec.index ?? (spec.namespace ? 0 : names.given(spec.name))
      const value = { index, ...create, attributes }
      const first = request(linkMessage, value, { ...about, flags: NLM_F_CREATE | NLM_F_EXCL })
      return [first, ...after.map(step => request(linkMessage, step, about))]
    },
  }
}

type Flags = Pick<LinkToWrite, 'flags' | 'change'>

/**
 * A veth cannot come up while it is being created (veth_open() finds no peer: ENOTCONN).
 * rtnl_newlink_create() ignores IFLA_AF_SPEC, and do_setlink() brings the link up before it looks there: sent
 * in one message with `up`, the link-local address would still be created. So these settings follow in
 * messages of their own.
 */
function stepsOf(spec: LinkSpec): { create: Flags; after: LinkToWrite[] } {
  const { name, kind, up, addrGenMode, namespace } = spec
  const mode = addrGenMode === undefined ? [] : [{ attributes: { ...familiesOf(addrGenMode), name } }]
  const flags = flagsOf(spec)
  if (mode.length === 0 && !(kind === 'veth' && up)) return { create: flags, after: [] }
  if (namespace) throw settingError(name, inside)
  return { create: {}, after: up ? [...mode, { ...flags, attributes: { name } }] : mode }
}

/** Changes an existing interface. */
export function changeLink(change: LinkChange): Operation {
  const op = 'change link'
  take(op, change, 'LinkChange')
  const which = change.index ?? change.name
  if (which === undefined) throw nameless(op)
  if (change.newName !== undefined) checkName(op, change.newName)
  const byIndex = change.index !== undefined || change.newName !== undefined || change.port !== undefined
  const about = { type: RTM_NEWLINK, op, target: `${which}` }
  const kind = kindOf(change)
  return {
    refers: [...refersTo(change.master), ...kindRefers(change), ...(byIndex ? [which] : [])],
    requests(names) {
      const index = byIndex ? names.indexOf(which) : 0
      const name =
        change.newName === undefined ? (byIndex ? {} : named(change.name)) : { name: change.newName }
      const attributes = {
        ...settingsOf(change, masterOf(change, names)),
        ...familiesOf(change.addrGenMode),
        ...name,
        linkInfo: kind === undefined ? undefined : kindInfo(kind, change, names),
      }
      const flags = flagsOf(change)
      const settings = { index, attributes }
      const steps =
        change.addrGenMode !== undefined && change.up // see stepsOf
          ? [settings, { index, ...flags, attributes: name }]
          : [{ ...settings, ...flags }]
      const requests = steps.map(step => request(linkMessage, step, about))
      return change.port ? [...requests, portRequest(index, change.port, about.target)] : requests
    },
  }
}

function refersTo(master: LinkRef | null | undefined): LinkRef[] {
  return master === undefined || master === null ? [] : [master]
}

/** The flags that a setting sets, or clears when it is inverse. */
const flagBits = {
  up: { bit: IFF_UP },
  promiscuous: { bit: IFF_PROMISC },
  allMulticast: { bit: IFF_ALLMULTI },
  arp: { bit: IFF_NOARP, inverse: true },
  multicast: { bit: IFF_MULTICAST },
} as const

function flagsOf(settings: Pick<LinkSettings, keyof typeof flagBits>): Flags {
  let [flags, change] = [0, 0]
  for (const [name, { bit, ...rest }] of Object.entries(flagBits)) {
    const wanted = settings[name as keyof typeof flagBits]
    if (wanted === undefined) continue
    change |= bit
    if (wanted !== 'inverse' in rest) flags |= bit
  }
  return change === 0 ? {} : { flags, change }
}

function familiesOf(mode: AddrGenMode | undefined): LinkAttributes {
  return mode === undefined ? {} : { families: { ipv6: { addrGenMode: addrGenModes.indexOf(mode) } } }
}

function settingsOf(settings: Omit<LinkSettings, 'master'>, master?: number): LinkAttributes {
  const { mac, mtu, txQueueLength, group, alias, namespace } = settings
  const { gsoMaxSize, gsoMaxSegments, groMaxSize } = settings
  return {
    namespaceFd: namespace?.fd,
    mac: mac === undefined ? undefined : macBytes(mac),
    mtu,
    txQueueLength,
    master,
    group,
    alias,
    ...{ gsoMaxSize, gsoMaxSegments, groMaxSize },
  }
}

function masterOf({ master }: LinkSettings, names: Names): number | undefined {
  return master === null ? 0 : master === undefined ? undefined : names.indexOf(master)
}

function infoOf(spec: LinkSpec, names: Names): LinkAttributes['linkInfo'] {
  const { kind, peer } = spec
  return peer
    ? { kind, veth: { peer: peerMessage(peer, names, !spec.namespace && !peer.namespace) } }
    : kindInfo(kind, spec, names)
}

/** The interfaces that it creates in this namespace; other namespaces have indexes of their own. */
function createdBy({ name, index, namespace, peer }: LinkSpec): Created[] {
  if (namespace) return []
  const own = { name, index }
  return peer && !peer.namespace ? [own, { name: peer.name, index: peer.index }] : [own]
}

function peerMessage(
  peer: PeerSpec,
  names: Names,
  beside: boolean,
): LinkToWrite & { attributes: LinkAttributes } {
  const { name, index = beside ? names.given(name) : 0, ...settings } = peer
  return { index, attributes: { ...settingsOf(settings), name } }
}

function portRequest(index: number, port: PortSettings, target: string): Request {
  const value = { family: AF_BRIDGE, index, attributes: { port } }
  return request(portMessage, value, { type: RTM_SETLINK, op: 'change port', target })
}

function nameless(op: string): NetlinkError {
  return new NetlinkError({
    code: 'LINK_NAME',
    kind: 'usage',
    op,
    reason: 'the link needs a name or an index',
  })
}

const inside = 'addrGenMode, and up of a veth, can only be set from inside the namespace of the link'

function checkPeer({ name, index }: LinkSpec, peer: PeerSpec): void {
  checkName('create veth', peer.name)
  const reason = 'peer.index can only be given together with index' // otherwise veth_newlink() ignores it
  if (peer.index !== undefined && index === undefined) throw settingError(name, reason)
}

function settingError(target: string, reason: string): NetlinkError {
  return new NetlinkError({ code: 'LINK_SETTING', kind: 'usage', op: 'create link', target, reason })
}
