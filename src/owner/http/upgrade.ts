import type { IncomingMessage } from 'node:http'
import { upgradeProtocol, type Verb } from '../../api/index.ts'
import type { Route } from './routes.ts'

/** The route of an upgrade request, the node in its path and what its query asks; undefined when no route matches. */
export function upgradeAsked(
  routes: readonly Route[],
  { url = '', headers }: IncomingMessage,
): { readonly route: Route; readonly id: string; readonly question: object } | undefined {
  const { pathname, searchParams } = new URL(url, 'http://owner')
  const route = routes.find(
    ({ verb, answer }) =>
      answer === 'upgrade' && headers.upgrade === upgradeProtocol(verb) && pathOf(verb).test(pathname),
  )
  const [, id = ''] = (route && pathOf(route.verb).exec(pathname)) ?? []
  const question = route?.question?.safeParse(Object.fromEntries(searchParams))
  if (!route || question?.success === false) return undefined
  return { route, id: decodeURIComponent(id), question: (question?.data ?? {}) as object }
}

function pathOf({ path }: Verb): RegExp {
  return new RegExp(`^${path.replace(':id', '([^/]+)')}$`)
}
