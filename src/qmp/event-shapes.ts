import { type Shape, shape } from '../base/index.ts'

/** The shapes of the data that decide what happens to a VM. QEMU's other events may have any data. */
export const eventShapes: Readonly<Record<string, Shape>> = {
  SHUTDOWN: shape.record({ guest: shape.flag, reason: shape.text }),
  VSERPORT_CHANGE: shape.record({ id: shape.text, open: shape.flag }),
  MIGRATION: shape.record({ status: shape.text }),
}
