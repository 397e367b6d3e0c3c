/**
 * The events that this project knows, with their data (qemu `qapi/*.json`). Others have data with unknown
 * fields.
 */
export interface QmpEvents {
  SHUTDOWN: { readonly guest: boolean; readonly reason: string }
  POWERDOWN: Empty
  RESET: { readonly guest: boolean; readonly reason: string }
  STOP: Empty
  RESUME: Empty
  SUSPEND: Empty
  WAKEUP: Empty
  GUEST_PANICKED: { readonly action: string; readonly info?: Readonly<Record<string, unknown>> }
  WATCHDOG: { readonly action: string }
  /** The guest opened or closed a virtio-serial port: its agent came or went. */
  VSERPORT_CHANGE: { readonly id: string; readonly open: boolean }
  /** `completed` comes while the run state is still `finish-migrate`. */
  MIGRATION: { readonly status: string }
  DEVICE_DELETED: { readonly device?: string; readonly path: string }
  NIC_RX_FILTER_CHANGED: { readonly name?: string; readonly path: string }
  JOB_STATUS_CHANGE: { readonly id: string; readonly status: string }
  BLOCK_JOB_COMPLETED: { readonly type: string; readonly device: string; readonly error?: string }
  BLOCK_IO_ERROR: { readonly device: string; readonly operation: string; readonly reason: string }
}

type Empty = Readonly<Record<string, never>>
