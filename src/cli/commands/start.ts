import type { Command } from 'commander'
import { codeOf } from '../../base/index.ts'
import { gone, OwnerClient } from '../../client/index.ts'
import type { Launch, StartOrder } from '../../owner/index.ts'
import { planCluster, type Settings } from '../../plan/index.ts'
import { addSettings, changedSettings, settingsOf, withTopologyFile } from '../options/settings.ts'
import { timeoutOption } from '../options/shared.ts'
import { strangeVariables } from '../options/strange.ts'
import { print, printJson, tell } from '../output.ts'
import { type CommonOptions, type Session, timeoutOf, trustedPlaces } from '../session.ts'
import { followStart } from '../start/follow.ts'
import { fetchMissing } from '../start/packages.ts'
import { isLive, listenerOf, tellReady } from '../start/ready.ts'
import { windowsOf } from '../start/xterm.ts'
import { planText } from '../view/plan.ts'

interface StartOptions extends CommonOptions {
  readonly dryRun?: boolean
  readonly check?: boolean
  readonly freezable?: boolean
  readonly restart?: boolean
  readonly xterm?: boolean
}

export function configure(command: Command, session: Session): void {
  addSettings(command, session.argv)
  command
    .option('--dry-run', 'print the plan and start nothing')
    .option('--restart', 'stop the cluster of this name first, if it runs')
    .option('--freezable', 'let `xc freeze` save it later; each node takes all of its memory')
    .option('--xterm', 'open an xterm with the console of each node afterwards')
    .option('--check', 'check afterwards which nodes reach each other')
    .option('--json', 'print one JSON value (docs/json.md)')
    .option(...timeoutOption)
    .addHelpText('after', nodeHelp)
    .action(async (options: StartOptions & Record<string, unknown>) => {
      for (const text of strangeVariables(session.env)) tell(`note: ${text}`)
      const given = settingsOf(session, await withTopologyFile(session, options))
      const settings = await prepared(session, given, options)
      const plan = planCluster(settings)
      if (options.dryRun) return options.json ? printJson(plan) : print(planText(plan))
      process.exitCode = await fetchMissing(session, settings)
      if (process.exitCode !== 0) return
      await start(session, { settings, nodes: plan.nodes.length, options })
    })
}

const nodeHelp = `
--mem, --smp, --append, --with, --kernel, --modules, --rootfs, --image, --bootable, --cidata and
--init can be set for a role (--kernel-vm, --mem-router 256, --rootfs-tester), and with --nets for
one node (--mem201 256, --nets3 0,3,1); --mtu for one net (--mtu1 9000).
The environment variable of each option is in brackets. The option wins.`

/** The settings, with what the hook's `prepare` changes. */
async function prepared(session: Session, settings: Settings, options: StartOptions): Promise<Settings> {
  const timeoutMs = timeoutOf(options) // refused before anything is planned
  if (!session.hook?.config.prepare) return settings
  const { prepareStart } = await import('../hooks/start.ts')
  const dryRun = options.dryRun ?? false
  const changes = await prepareStart(session.hook, { settings, dryRun, timeoutMs })
  return changedSettings(session, { before: settings, changes }, key => `${key} from prepare of the hook`)
}

interface Start {
  readonly settings: Settings
  readonly nodes: number
  readonly options: StartOptions
}

async function start(session: Session, { settings, nodes, options }: Start): Promise<void> {
  const timeoutMs = timeoutOf(options)
  const request = {
    settings,
    places: trustedPlaces(session),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(options.freezable && { freezable: true }),
  }
  const [onEvent, openWindows] = [await listenerOf(session), options.xterm && (await windowsOf(session))]
  if (options.restart) await stopBefore(session, settings.name)
  const launch = await launchOf(session, request)
  const outcome = await followStart(launch, {
    live: isLive(options),
    nodes,
    clones: settings.clone === 'always',
    timeoutMs,
    onEvent,
  })
  if (outcome.status === undefined) {
    await gone(launch.pid)
    process.exitCode = outcome.interrupted
    return
  }
  onEvent({ type: 'cluster', state: 'ready', status: outcome.status })
  await tellReady(session, outcome.status, options)
  if (openWindows) openWindows(outcome.status)
}

async function stopBefore({ places }: Session, name: string): Promise<void> {
  try {
    await new OwnerClient(places, name).stop()
    tell(`Stopped cluster '${name}'.`)
  } catch (failure) {
    if (codeOf(failure) !== 'CLUSTER_MISSING') throw failure
  }
}

/** Uses the owner that was started ahead, if it is for this cluster. */
async function launchOf({ ahead, env }: Session, request: StartOrder): Promise<Launch> {
  if (ahead?.name === request.settings.name) return ahead.start(request)
  const [{ launchOwner }] = await Promise.all([import('../../owner/index.ts'), ahead?.close()])
  return await launchOwner(request, { env: { ...env } })
}
