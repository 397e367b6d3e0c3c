import type { Duplex } from 'node:stream'

/** Ctrl-], as telnet and virsh have it. */
const leave = 0x1d

/**
 * Joins this process's terminal to a console until Ctrl-] is typed, our input ends or the console does. The
 * terminal is raw meanwhile (Ctrl-C goes to the guest) and as it was afterwards, however this process ends short
 * of SIGKILL.
 */
export async function talk(console: Duplex): Promise<'left' | 'ended'> {
  const { stdin, stdout } = process
  const restore = rawMode()
  try {
    return await new Promise((resolve, reject) => {
      stdin.on('data', (bytes: Buffer) => {
        const at = stdin.isTTY ? bytes.indexOf(leave) : -1
        console.write(at < 0 ? bytes : bytes.subarray(0, at))
        if (at >= 0) resolve('left')
      })
      // What was piped in has been typed; what the guest says to it still comes, until it ends or we are stopped.
      console.on('data', (bytes: Buffer) => {
        if (!stdout.write(bytes)) {
          console.pause()
          stdout.once('drain', () => console.resume())
        }
      })
      console.on('end', () => resolve('ended'))
      console.on('close', () => resolve('ended'))
      console.on('error', reject)
    })
  } finally {
    restore()
    stdin.pause()
    console.destroy()
  }
}

function rawMode(): () => void {
  const { stdin } = process
  if (!stdin.isTTY) return () => {}
  stdin.setRawMode(true)
  const restore = () => void stdin.setRawMode(false)
  process.on('exit', restore)
  const numbers = { SIGTERM: 15, SIGHUP: 1, SIGINT: 2, SIGQUIT: 3 } as const
  for (const [signal, number] of Object.entries(numbers)) process.on(signal, () => process.exit(128 + number))
  return () => {
    process.off('exit', restore)
    restore()
  }
}
