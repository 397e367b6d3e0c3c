interface Ended {
  readonly status: number
  readonly signal?: number
  /** True: the guest agent kept only the beginning of that output. */
  readonly truncated: { readonly stdout: boolean; readonly stderr: boolean }
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
