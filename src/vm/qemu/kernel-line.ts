import type { VmSpec } from '../types.ts'

/**
 * Parameters that make a disposable guest boot faster and are worth their cost: no mitigations against
 * itself, the CPU's own randomness, short grace periods, no crypto self-tests, no relocation, one UART to
 * probe, no check of the clocks that QEMU emulates, and only notices and worse on the slow console. They also
 * turn off accounting, checks and hardening on hot paths, whose code TCG would translate again in each clone,
 * and whatever wakes an idle guest, so that a hundred of them stay idle (docs/vm.md has the figures).
 * `append` follows and has priority.
 */
const fast = [
  'mitigations=off',
  'random.trust_cpu=on',
  'rcupdate.rcu_expedited=1',
  'cryptomgr.notests',
  'nokaslr',
  'noreplace-smp',
  '8250.nr_uarts=1',
  'no_timer_check',
  'tsc=reliable',
  'psi=0',
  'audit=0',
  'lsm=',
  'init_on_alloc=0',
  'hardened_usercopy=off',
  'nowatchdog',
  'sysctl.vm.compaction_proactiveness=0',
  'sysctl.vm.stat_interval=30',
  'loglevel=6',
]

/**
 * The guest kernel's command line. With `panic=-1` a kernel that panics resets at once. QEMU runs with
 * `-no-reboot` and ends then, so that a panic is an event, and never a machine that hangs.
 */
export function kernelLine(spec: Pick<VmSpec, 'append' | 'mtus'>): string {
  const mtus = Object.entries(spec.mtus ?? {})
    .filter(([, mtu]) => mtu !== 1500)
    .map(([net, mtu]) => `mtu${net}=${mtu}`)
  return ['console=ttyS0', 'panic=-1', ...fast, ...mtus, spec.append ?? ''].filter(Boolean).join(' ')
}
