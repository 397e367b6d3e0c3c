import type { Status } from '../../api/index.ts'
import { errorFromJson } from '../../base/index.ts'
import type { Launch } from '../../owner/index.ts'
import { CliError } from '../errors.ts'
import { tell } from '../output.ts'
import { openProgress } from './progress.ts'
import type { ProgressOptions } from './types.ts'

/** Ready, or called off by a signal: then the exit status that goes with it. */
export interface StartOutcome {
  readonly status?: Status
  readonly interrupted?: number
}

/**
 * Shows what an owner says until its cluster is ready. Ctrl-C has it take everything back and waits for that; a
 * second one leaves at once, and the owner takes everything back all the same. What fails there is thrown here.
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
      tell('Called off; all that had been started is gone.')
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
    tell('\nTaking back what was started …')
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
    reason: `its owner process (${pid}) ended without a word`,
    remedy: `Its log tells more: ${log}`,
  })
}
