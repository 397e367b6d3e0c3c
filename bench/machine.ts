import { execFileSync } from 'node:child_process'
import { cpus, release } from 'node:os'

/** The machine that the figures come from: without it they mean nothing. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly kernel: string
  readonly node: string
  readonly qemu: string | null
  /** The accelerator of the guests; null when none runs. */
  readonly accel: string | null
}

export function describeMachine(accel: string | undefined): Machine {
  const cores = cpus()
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    kernel: release(),
    node: process.versions.node,
    qemu: qemuVersion(),
    accel: accel ?? null,
  }
}

function qemuVersion(): string | null {
  try {
    const text = execFileSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' })
    return text.match(/version (.*)/)?.[1] ?? null
  } catch {
    return null
  }
}
