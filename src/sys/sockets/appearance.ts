import { existsSync, type FSWatcher, watch } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { type Clock, defer, onAbort } from '../../base/index.ts'

/** How long to wait. */
export interface Wait {
  readonly clock: Clock
  /** When to give up, by the clock. */
  readonly end: number
  readonly signal?: AbortSignal | undefined
}

/** Watches for a path to appear, by inotify(7), also when directories above it are still missing. */
export class Appearance {
  readonly #watcher: FSWatcher
  readonly #changed = defer<boolean>()

  /** Undefined when the system has no more watches (`fs.inotify.max_user_watches`). */
  static of(path: string): Appearance | undefined {
    for (let place = nextPart(path); ; place = nextPart(path)) {
      let watcher: FSWatcher
      try {
        watcher = watch(place.directory)
      } catch {
        return undefined
      }
      // What appeared before the watch would not be reported.
      if (nextPart(path).directory === place.directory) return new Appearance(watcher, place)
      watcher.close()
    }
  }

  private constructor(watcher: FSWatcher, { directory, name }: Part) {
    this.#watcher = watcher
    watcher.on('error', () => this.#changed.resolve(true))
    watcher.on('change', (_, changed) => {
      if (changed === null || [name, basename(directory)].includes(String(changed)))
        this.#changed.resolve(true)
    })
  }

  /** True when the path may be there; false when the time is over, or the wait was aborted. */
  async changed({ clock, end, signal }: Wait): Promise<boolean> {
    const stop = () => this.#changed.resolve(false)
    const leave = onAbort(signal, stop)
    const cancel = clock.after(Math.max(0, end - clock.now()), stop)
    try {
      return await this.#changed.promise
    } finally {
      cancel()
      leave()
    }
  }

  close(): void {
    this.#watcher.close()
  }
}

interface Part {
  readonly directory: string
  readonly name: string
}

/** The deepest directory that exists, and what must appear in it. */
function nextPart(path: string): Part {
  const whole = resolve(path)
  let [directory, name] = [dirname(whole), basename(whole)]
  while (!existsSync(directory)) [directory, name] = [dirname(directory), basename(directory)]
  return { directory, name }
}
