interface Ended {
  readonly status: number
  readonly signal?: number
  /** The guest's agent kept only the beginning of the output. */
  readonly truncated: { readonly stdout: boolean; readonly stderr: boolean }
}

/** How a command in a guest ended. */
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
