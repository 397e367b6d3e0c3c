/** The values of an owner's API, as a client sees them. A test holds them equal to what the owner sends. */

export interface NodeNet {
  readonly net: number
  readonly dev: string
  readonly tap: string
  readonly mac: string
  readonly ipv4?: string
  readonly ipv6?: string
}

export interface NodeStatus {
  readonly id: number
  readonly name: string
  readonly role: 'vm' | 'router' | 'tester'
  readonly state: string
  readonly reason?: string
  readonly pid?: number
  readonly bootMs?: number
  /** Milliseconds from the start of its QEMU to each thing passed. */
  readonly milestones: Readonly<Record<string, number>>
  readonly console: string
  readonly nets: readonly NodeNet[]
}

export interface Status {
  readonly v: 1
  readonly name: string
  readonly topology: string
  readonly state: 'starting' | 'ready' | 'stopping' | 'stopped'
  readonly fabric?: 'bridge' | 'user'
  readonly netns: string
  readonly userns?: string
  readonly uplink?: {
    readonly link: string
    readonly outside: { readonly ipv4: string; readonly ipv6: string }
    readonly inside: { readonly ipv4: string; readonly ipv6: string }
    readonly table: string
    readonly sysctls: readonly { readonly name: string; readonly before: string }[]
  }
  readonly owner: { readonly pid: number }
  readonly accel: string
  readonly kernel: string
  readonly startedAt: string
  readonly readyMs?: number
  readonly nodes: readonly NodeStatus[]
}

/** Who reaches whom. */
export interface ReachReport {
  readonly v: 1
  /** All pairs did. */
  readonly ok: boolean
  readonly pairs: readonly {
    readonly from: string
    readonly to: string
    readonly address: string
    readonly family: 'ipv4' | 'ipv6'
    readonly ok: boolean
  }[]
}

/** How a command in a guest ended. */
export interface ExecAnswer {
  readonly status: number
  readonly signal?: number
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** The guest's agent kept only the beginning of the output. */
  readonly truncated: { readonly stdout: boolean; readonly stderr: boolean }
}
