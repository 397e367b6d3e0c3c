/** Bytes of input, and of both outputs together, that one command can have. */
export const execInputLimit = 32 << 20
export const execOutputLimit = 32 << 20

interface Ended {
  readonly status: number
  readonly signal?: number
}

/** The result of a command in a guest. */
export interface ExecAnswer extends Ended {
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
}

/** The same as it crosses the API: the outputs in base64. */
export interface ExecJson extends Ended {
  readonly v: 1
  readonly stdout: string
  readonly stderr: string
}
