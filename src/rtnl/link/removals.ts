import {
  NetlinkError,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  type Request,
  request,
} from '../../netlink/index.ts'
import { named } from '../names.ts'
import type { LinkRef, Operation } from '../operation.ts'
import { take } from '../takes.ts'
import { linkMessage, RTM_DELLINK, RTM_DELLINKPROP, RTM_NEWLINKPROP } from '../wire/index.ts'

export function removeLink(link: LinkRef): Operation {
  take('remove link', link, ['link', 'link'])
  const value = typeof link === 'number' ? { index: link } : { attributes: named(link) }
  return only(request(linkMessage, value, { type: RTM_DELLINK, op: 'remove link', target: `${link}` }))
}

export function removeGroup(group: number): Operation {
  take('remove group', group, ['number', 'group'])
  if (group === 0) throw everything()
  const value = { attributes: { group } }
  return only(request(linkMessage, value, { type: RTM_DELLINK, op: 'remove group', target: `${group}` }))
}

/** Adds or removes alternative names of an interface, of up to 127 bytes each. */
export function changeAltNames(link: LinkRef, altNames: readonly string[], add: boolean): Operation {
  const about = add
    ? {
        type: RTM_NEWLINKPROP,
        flags: NLM_F_CREATE | NLM_F_EXCL | NLM_F_APPEND,
        op: 'add alternative names to',
      }
    : { type: RTM_DELLINKPROP, op: 'remove alternative names from' }
  take(about.op, link, ['link', 'link'])
  take(about.op, altNames, ['texts', 'names'])
  const attributes = { propertyList: { altNames: [...altNames] } }
  return {
    refers: [link],
    requests: names => [
      request(linkMessage, { index: names.indexOf(link), attributes }, { ...about, target: `${link}` }),
    ],
  }
}

/** An operation that needs no indexes: a single message, known at once. */
function only(request: Request): Operation {
  return { refers: [], requests: () => [request] }
}

function everything(): NetlinkError {
  const reason = 'group 0 is the default group, which has every interface without another one'
  return new NetlinkError({ code: 'LINK_GROUP', kind: 'usage', op: 'remove group', target: '0', reason })
}
