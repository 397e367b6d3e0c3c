import type { Status } from '../../api/index.ts'
import { durationText, errorFromJson, systemClock } from '../../base/index.ts'
import type { Launch } from '../../owner/index.ts'
import { CliError } from '../errors.ts'
import { exitFlushed, tell } from '../output.ts'
import { openProgress } from './progress.ts'
import type { ProgressMessage, ProgressOptions } from './types.ts'

/** The status of the ready cluster, or the exit status after a signal has cancelled the start. */
export interface StartOutcome {
  readonly status?: Status
  readonly interrupted?: number
}

export interface StartShown extends ProgressOptions {
  readonly timeoutMs?: number | undefined
  /** Hears what is shown. */
  readonly onEvent?: (message: ProgressMessage) => void
}

export const cancelledText = 'Start cancelled; everything it had started has been removed.'

/** The time for an owner to undo what it has started after its own time limit, and to say so. */
const undoMs = 5000

/**
 * Shows the messages of an owner until its cluster is ready, and throws its failure. Ctrl-C makes the owner remove
 * everything that it has started, and waits for that. A second Ctrl-C exits at once; the owner still does it.
 */
export async function followStart(launch: Launch, shown: StartShown): Promise<StartOutcome> {
  const progress = await openProgress(shown)
  const say = shown.quiet ? () => {} : tell
  const interruption = interruptible(launch, say)
  const cancelLate = endLate(launch, shown.timeoutMs)
  try {
    for await (const message of launch.messages) {
      if (message.type === 'failed') throw errorFromJson(message.error) ?? died(launch)
      if (message.type !== 'ready') {
        progress.show(message)
        shown.onEvent?.(message)
      }
      if (message.type === 'ready' && interruption.status === 0) {
        launch.keep()
        await progress.end()
        return { status: message.status }
      }
    }
    throw died(launch)
  } catch (failure) {
    await progress.end(failure)
    if (interruption.status) {
      say(cancelledText)
      return { interrupted: interruption.status }
    }
    throw failure
  } finally {
    interruption.forget()
    cancelLate()
  }
}

/** The owner watches the time limit. This is for one that hangs or is stopped: it undoes all when the pipe ends. */
function endLate({ messages, pid, log }: Launch, timeoutMs: number | undefined): () => void {
  if (timeoutMs === undefined) return () => {}
  const late = new CliError({
    code: 'OWNER_SILENT',
    op: 'start cluster',
    reason: `its owner process (${pid}) has not answered within ${durationText(timeoutMs)}`,
    remedy: `It undoes the start as soon as it runs again. Its log: ${log}`,
  })
  return systemClock.after(timeoutMs + undoMs, () => messages.end(late))
}

interface Interruption {
  /** 130 after Ctrl-C, 143 after SIGTERM, 0 before. */
  readonly status: number
  forget(): void
}

function interruptible(launch: Launch, say: (text: string) => void): Interruption {
  const state = { status: 0 }
  const heard = (status: number) => () => {
    if (state.status) return void exitFlushed(status)
    state.status = status
    say('\nCancelling: removing what has been started …')
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
