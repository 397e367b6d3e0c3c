import { type ErrorDetails, XclusterError } from '../base/index.ts'

/** Something that a user brings for guests and that cannot be used. */
export class OverlayError extends XclusterError {}

/** An overlay or archive that has been found and cannot be used. */
export function unusable(target: string, reason: string, more: Partial<ErrorDetails> = {}): OverlayError {
  return new OverlayError({
    code: 'OVERLAY_UNUSABLE',
    kind: 'usage',
    op: 'use overlay',
    target,
    reason,
    ...more,
  })
}

/** The root that a user brings cannot be used. */
export function rootUnusable(target: string, reason: string, more: Partial<ErrorDetails> = {}): OverlayError {
  return new OverlayError({ code: 'ROOTFS_UNUSABLE', kind: 'usage', op: 'use root', target, reason, ...more })
}

/** The disk image that a user brings cannot be used. */
export function diskUnusable(target: string, reason: string, more: Partial<ErrorDetails> = {}): OverlayError {
  return new OverlayError({
    code: 'DISK_UNUSABLE',
    kind: 'usage',
    op: 'use disk image',
    target,
    reason,
    ...more,
  })
}
