import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { Environment } from '../../../plan/index.ts'
import { CliError } from '../../errors.ts'
import { settingOption, settingsOf } from '../../options/settings.ts'
import { printJson, tell } from '../../output.ts'
import { ourName } from '../../program-name.ts'
import { type Session, trustedPlaces } from '../../session.ts'

/** Reads the number of a namespace or a net. */
export function numberOf(typed: string, what: 'index' | 'net'): number {
  if (/^\d{1,3}$/.test(typed) && Number(typed) <= 255) return Number(typed)
  const reason = `'${typed}' is not a whole number from 0 to 255`
  throw new CliError({ code: 'BAD_NUMBER', kind: 'usage', target: what, reason })
}

/** The user in the names of namespaces: USER, as in the original. With sudo(8) that is root. */
export function userOf(env: Environment): string {
  return env.USER || userInfo().username
}

/** `nsadd` and `nsadd-docker` differ in the other end of the uplink. */
export function addingCommand({ docker }: { readonly docker: boolean }) {
  return (command: Command, session: Session): void => {
    command.argument('<index>', 'its number; its name is <user>_xcluster<index>')
    const own = docker ? [] : (['ipv4Base', 'ipv6Prefix'] as const)
    for (const key of [...own, 'mtu', 'hostNets', 'prefix'] as const) command.addOption(settingOption(key))
    command
      .option('--json', 'print one JSON value (docs/json.md)')
      .action(async (typed: string, options: Readonly<Record<string, unknown>>) => {
        const which = { user: userOf(session.env), index: numberOf(typed, 'index'), docker }
        const { addNamedNamespace } = await import('../../../host/index.ts')
        const settings = settingsOf(session, options)
        const added = await addNamedNamespace(which, { settings, places: trustedPlaces(session) })
        if (options.json) return printJson({ v: 1, ...added })
        const { name, inside, bridges, link } = added
        tell(
          `Made network namespace ${name} with ${inside.join(', ')} behind ${link}, and ${bridges.join(', ')}.`,
        )
        tell(`Start a cluster in it with: ${ourName()} start --netns ${name}`)
      })
  }
}
