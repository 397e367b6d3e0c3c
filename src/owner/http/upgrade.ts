import type { IncomingMessage } from 'node:http'
import { upgradeProtocol, type Verb } from '../../api/index.ts'
import type { Route } from './routes.ts'

/** The route of an upgrade request, and the node in its path; undefined when no route matches. */
export function upgradeAsked(
  routes: readonly Route[],
  { url = '', headers }: IncomingMessage,
): { readonly route: Route; readonly id: string } | undefined {
  const route = routes.find(
    ({ verb, answer }) =>
      answer === 'upgrade' && headers.upgrade === upgradeProtocol(verb) && pathOf(verb).test(url),
  )
  const [, id = ''] = (route && pathOf(route.verb).exec(url)) ?? []
  return route && { route, id: decodeURIComponent(id) }
}

function pathOf({ path }: Verb): RegExp {
  return new RegExp(`^${path.replace(':id', '([^/]+)')}$`)
}
