import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Duplex, Readable } from 'node:stream'
import { systemClock, within } from '../../../src/base/index.ts'
import type { GuestImage } from '../../../src/image/index.ts'

/** As in docs/image.md. `quiet` keeps the kernel's log off the slow serial line, which still shows a panic. */
const FAST =
  'console=ttyS0 panic=-1 quiet mitigations=off random.trust_cpu=on rcupdate.rcu_expedited=1 cryptomgr.notests nokaslr noreplace-smp 8250.nr_uarts=1 no_timer_check'

export interface Ran {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

function diskOf({ modulesDisk: disk }: Pick<GuestImage, 'modulesDisk'>): string[] {
  if (!disk) return []
  const drive = `file=${disk.path},if=none,format=raw,readonly=on,id=modules`
  return ['-drive', drive, '-device', `virtio-blk-pci,drive=modules,serial=${disk.serial},addr=1e`]
}

/** One guest under TCG with the fewest devices for a test. It is controlled over its console and its agent. */
export class Guest implements AsyncDisposable {
  readonly started = performance.now()
  readonly exited: Promise<number | null>
  readonly #qemu: ChildProcess
  readonly #answers: AsyncIterableIterator<string>
  console = ''

  constructor(
    image: Pick<GuestImage, 'vmlinux' | 'initramfs' | 'modulesDisk'>,
    options: { append?: string; args?: string[]; machine?: string; memory?: number } = {},
  ) {
    const fixed = ['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-accel', 'tcg']
    const ports = ['-device', 'virtio-serial-pci', '-chardev', 'socket,id=agent,fd=3']
    this.#qemu = spawn(
      'qemu-system-x86_64',
      [
        ...['-M', options.machine ?? 'q35', ...fixed, '-m', `${options.memory ?? 128}`, '-serial', 'stdio'],
        ...[
          '-kernel',
          image.vmlinux,
          '-initrd',
          image.initramfs,
          '-append',
          `${FAST} ${options.append ?? ''}`,
        ],
        ...[...ports, '-device', 'virtserialport,chardev=agent,name=org.qemu.guest_agent.0'],
        ...[
          '-netdev',
          'user,id=net0',
          '-device',
          'virtio-net-pci,netdev=net0,mac=00:00:00:01:00:07,romfile=',
        ],
        ...diskOf(image),
        ...(options.args ?? []),
      ],
      { stdio: ['pipe', 'pipe', 'inherit', 'pipe'] },
    )
    this.exited = once(this.#qemu, 'exit').then(([code]) => code as number | null)
    this.#stdout.setEncoding('utf8').on('data', text => {
      this.console += text
    })
    this.#answers = createInterface({ input: this.#agent })[Symbol.asyncIterator]()
  }

  get pid(): number {
    return this.#qemu.pid!
  }

  get #stdout(): Readable {
    return this.#qemu.stdout!
  }

  get #agent(): Duplex {
    return this.#qemu.stdio[3] as Duplex
  }

  /** Resolves when the console's output matches. */
  async shows(pattern: RegExp): Promise<void> {
    const missing = (why: string) =>
      new Error(`${why} before the console showed ${pattern}:\n${this.console.slice(-2000)}`)
    const gone = this.exited.then(() => Promise.reject(missing('QEMU ended')))
    gone.catch(() => {}) // every guest ends, usually after this wait is over
    const seen = async () => {
      while (!pattern.test(this.console)) await Promise.race([once(this.#stdout, 'data'), gone])
    }
    await within(seen(), { clock: systemClock, ms: 60_000, late: () => missing('a minute passed') })
  }

  type(text: string): void {
    this.#qemu.stdin!.write(text)
  }

  async ask(execute: string, args: object = {}): Promise<unknown> {
    this.#agent.write(`${JSON.stringify({ execute, arguments: args })}\n`)
    const { value, done } = await this.#answers.next()
    if (done)
      throw new Error(`QEMU ended before the agent answered ${execute}:\n${this.console.slice(-2000)}`)
    return JSON.parse(value).return
  }

  /** Runs a command in the guest with the agent. The agent has no event for its exit, so this polls. */
  async run(...[path, ...arg]: string[]): Promise<Ran> {
    const { pid } = (await this.ask('guest-exec', { path, arg, 'capture-output': true })) as { pid: number }
    for (;;) {
      const status = (await this.ask('guest-exec-status', { pid })) as Record<
        string,
        string | number | boolean
      >
      if (!status.exited) continue
      const text = (key: string) => Buffer.from(String(status[key] ?? ''), 'base64').toString()
      return { status: Number(status.exitcode ?? -1), stdout: text('out-data'), stderr: text('err-data') }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#qemu.kill('SIGKILL')
    await this.exited
  }
}
