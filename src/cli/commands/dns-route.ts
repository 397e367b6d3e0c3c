import type { Command } from 'commander'
import { nameOption, timeoutOption } from '../options/shared.ts'
import { print, printJson } from '../output.ts'
import { type CommonOptions, clientOf, type Session } from '../session.ts'
import { resolvectl, routeOf, routeText } from '../view/dns-route.ts'

export function configure(command: Command, session: Session): void {
  command
    .option(...nameOption)
    .option('--json', 'print one JSON value (docs/json.md)')
    .option(...timeoutOption)
    .addHelpText(
      'after',
      '\nIt prints lines for systemd-resolved, dnsmasq, NetworkManager and unbound, and runs none.',
    )
    .action(async (options: CommonOptions) => {
      const client = clientOf(session, options)
      const status = await client.status()
      const { domain } = status.dns ? await client.names() : {}
      const route = routeOf(status, domain)
      if (options.json)
        printJson({ v: 1, ...route, ...(route.link !== undefined && { resolvectl: resolvectl(route) }) })
      else print(routeText(route))
    })
}
