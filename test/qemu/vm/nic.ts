import type { Nic } from '../../../src/base/index.ts'
import type { Tap } from '../../../src/sys/index.ts'

/** A NIC as a fabric makes it. Without a tap it describes a template's NIC. */
export const nicOn = (index: number, tap?: Tap): Nic => ({
  args: [
    ...['-netdev', `tap,id=net${index},fd={fd0}`],
    ...['-device', `virtio-net-pci,netdev=net${index},id=nic${index},mac=00:00:00:01:0${index}:07,romfile=`],
  ],
  fds: tap ? [tap.fd] : [],
})
