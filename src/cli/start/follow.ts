import type { Status } from '../../api/index.ts'
import { errorFromJson } from '../../base/index.ts'
import type { Launch } from '../../owner/index.ts'
import { CliError } from '../errors.ts'
import { tell } from '../output.ts'
import { openProgress } from './progress.ts'
import type { ProgressOptions } from './types.ts'

/** The status of the ready cluster, or the exit status after a signal has cancelled the start. */
export interface StartOutcome {
  readonly status?: Status
  readonly interrupted?: number
}

/**
 * Shows the messages of an owner until its cluster is ready, and throws its failure. Ctrl-C makes the owner remove
 * everything that it has started, and waits for that. A second Ctrl-C exits at once; the owner still does it.
 */
export async function followStart(launch: Launch, shown: ProgressOptions): Promise<StartOutcome> {
  const progress = await openProgress(shown)
  const interruption = interruptible(launch)
  try {
    for await (const message of launch.messages) {
      if (message.event === 'failed') throw errorFromJson(message.error) ?? died(launch)
      if (message.event !== 'ready') progress.show(message)
      else if (interruption.status === 0) {
        launch.keep()
        await progress.end()
        return { status: message.status }
      }
    }
    throw died(launch)
  } catch (failure) {
    await progress.end(failure)
    if (interruption.status) {
      tell('Start cancelled; everything it had started has been removed.')
      return { interrupted: interruption.status }
    }
    throw failure
  } finally {
    interruption.forget()
  }
}

interface Interruption {
  /** 130 after Ctrl-C, 143 after SIGTERM, 0 before. */
  readonly status: number
  forget(): void
}

function interruptible(launch: Launch): Interruption {
  const state = { status: 0 }
  const heard = (status: number) => () => {
    if (state.status) process.exit(status)
    state.status = status
    tell('\nCancelling: removing what has been started …')
    launch.cancel()
  }
  const signals = { SIGINT: heard(130), SIGTERM: heard(143) } as const
  for (const [signal, listener] of Object.entries(signals)) process.on(signal, listener)
  return {
    get status() {
      return state.status
    },
    forget() {
      for (const [signal, listener] of Object.entries(signals)) process.off(signal, listener)
    },
  }
}

function died({ pid, log }: Launch): CliError {
  return new CliError({
    code: 'OWNER_DIED',
    op: 'start cluster',
    reason: `its owner process (${pid}) ended without reporting why`,
    remedy: `Read its log: ${log}`,
  })
}
