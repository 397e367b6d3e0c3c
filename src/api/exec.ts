/** How a command in a guest ended. */
export interface ExecAnswer {
  readonly status: number
  readonly signal?: number
  readonly stdout: Uint8Array
  readonly stderr: Uint8Array
  /** The guest's agent kept only the beginning of the output. */
  readonly truncated: { readonly stdout: boolean; readonly stderr: boolean }
}
