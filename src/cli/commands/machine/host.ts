import { hostname } from 'node:os'
import type { Command } from 'commander'
import { OwnerClient } from '../../../client/index.ts'
import type { EngineOptions } from '../../../fleet/index.ts'
import type { Settings } from '../../../plan/index.ts'
import { CliError } from '../../errors.ts'
import { addSettings, settingsOf, withTopologyFile } from '../../options/settings.ts'
import { timeoutOption } from '../../options/shared.ts'
import { print, printJson, tell } from '../../output.ts'
import { type CommonOptions, type Session, timeoutOf, trustedPlaces } from '../../session.ts'
import { clusterTable } from '../../view/cluster.ts'
import { placementText, placementValue } from '../../view/placement.ts'
import { mustBeWritable, writeStatusFile } from '../fleet/status-file.ts'

interface HostOptions extends CommonOptions, EngineOptions {
  readonly dryRun?: boolean
  readonly encrypt?: boolean
  readonly join?: string
  readonly statusFile?: string
}

export function configure(command: Command, session: Session): void {
  addSettings(command, session.argv)
  command
    .argument('<lab>', 'a topology file, the same on all hosts, or the name of a topology')
    .option('--rank <n>', 'the number of this host, from 0; 0 leads')
    .option('--count <n>', 'how many hosts there are')
    .option('--peers <addresses>', 'the address or name of each host, by number, with commas')
    .option('--ports <control,vxlan>', 'the TCP and the UDP port, the same on all hosts (default 7766,4789)')
    .option('--secret-file <file>', 'random bytes that the hosts of this lab alone have, at least 16')
    .option('--job <name>', 'another for each lab that runs on these hosts at a time (default lab)')
    .option('--encrypt', 'encrypt nets between hosts by WireGuard, on all hosts or on none')
    .option('--join <seconds>', 'how long the hosts wait for each other (default 60)')
    .option('--status-file <file>', 'host 0 writes the status there when all nodes are ready')
    .option('--dry-run', 'print which host each node would be on, for --count hosts like this one')
    .option('--json', 'print one JSON value (docs/json.md)')
    .option(...timeoutOption)
    .addHelpText('after', help)
    .action(async (lab: string, options: HostOptions & Record<string, unknown>) => {
      const given = await withTopologyFile(session, { ...options, topology: lab })
      const settings = settingsOf(session, given)
      if (options.dryRun) return await dryRun(settings, options)
      await run(session, settings, options)
    })
}

const help = `
It runs in the foreground, one on each host, and its life is that of the lab's part there. On the
host with number 0 all commands work on the whole lab (docs/hosts.md).

  xc host lab.yaml --rank 1 --peers 10.0.0.1,10.0.0.2 --secret-file secret`

async function dryRun(
  settings: Settings,
  { count = '1', encrypt = false, json }: HostOptions,
): Promise<void> {
  if (!/^[1-9]\d{0,3}$/.test(count)) throw badCount(count)
  const { placedHere } = await import('../../../fleet/index.ts')
  const value = placementValue(placedHere(settings, { count: Number(count), encrypt }))
  if (json) printJson(value)
  else print(placementText(value))
}

async function run(session: Session, settings: Settings, options: HostOptions): Promise<void> {
  const { engineFrom, runHost, slurmValues } = await import('../../../fleet/index.ts')
  if (options.statusFile !== undefined) mustBeWritable(options.statusFile)
  const places = trustedPlaces(session)
  const timeoutMs = timeoutOf(options)
  const joinMs = timeoutOf({ ...(options.join !== undefined && { timeout: options.join }) })
  const values = await engineFrom(session.env, options, [slurmValues])
  const stopped = new AbortController()
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(name, () => stopped.abort())
  const log = (text: string) => tell(`host ${values.rank} (${hostname()}): ${text}`)
  await runHost({
    ...{ settings, values, timeoutMs, log, signal: stopped.signal },
    ...(joinMs !== undefined && { joinMs }),
    ...(options.encrypt && { encrypt: true }),
    async onReady({ nodes }) {
      log(values.rank === 0 ? 'all nodes are ready' : `${nodes.length} nodes are ready`)
      if (values.rank !== 0) return
      const status = await new OwnerClient(places, settings.name).status()
      if (options.statusFile !== undefined) await writeStatusFile(options.statusFile, status)
      if (options.json) printJson(status)
      else print(clusterTable(status))
    },
  })
}

function badCount(count: string): CliError {
  return new CliError({
    code: 'BAD_USAGE',
    kind: 'usage',
    target: '--count',
    reason: `'${count}' is not a number from 1 to 9999`,
  })
}
