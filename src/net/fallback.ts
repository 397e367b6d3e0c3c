import { codeOf } from '../base/index.ts'
import type { Settings } from '../plan/index.ts'

/**
 * True when this machine allows no namespace, or no taps in it, and the settings need nothing that only
 * bridges have. An error in the plan does not count.
 */
export function mayFallBack({ fabric, netns, uplink }: Settings, failure: unknown): boolean {
  const asked = fabric === 'bridge' || netns !== '' || uplink !== 'off'
  return !asked && forbidden.includes(codeOf(failure) ?? '')
}

const forbidden = [
  ...['NOT_PERMITTED', 'NETLINK_NOT_PERMITTED', 'USER_NAMESPACES_DENIED'],
  ...['TUN_MISSING', 'TUN_DENIED'],
]
