import { readFileSync } from 'node:fs'

/** USER_HZ: what proc(5) counts in, on every architecture of Linux. */
const ticksPerSecond = 100

/** The processor time that a process has used, in milliseconds. Undefined when it has ended. */
export function processorMs(pid: number): number | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The name may hold anything, so fields are counted after its parenthesis: utime and stime are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond
}

/** The machine's load averages over 1, 5 and 15 minutes. */
export function loadAverages(): [number, number, number] {
  const [one = 0, five = 0, fifteen = 0] = (readText('/proc/loadavg') ?? '').split(' ').map(Number)
  return [one, five, fifteen]
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
