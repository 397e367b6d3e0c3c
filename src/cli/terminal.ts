import type { Duplex } from 'node:stream'

/** Ctrl-], as in telnet(1) and virsh(1). */
const leave = 0x1d

/**
 * Connects this process's terminal to a console until Ctrl-] is typed or the console ends. Meanwhile the terminal is
 * in raw mode (Ctrl-C goes to the guest). Its mode is restored however this process ends, except by SIGKILL.
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
      // The end of piped input is not the end of the output: the guest still answers, until the console ends.
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
