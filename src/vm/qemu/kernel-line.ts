import type { VmSpec } from '../types.ts'

/**
 * What makes a throw-away guest boot faster, and is worth what it costs: no mitigations against itself, the
 * CPU's own randomness, grace periods that do not wait, no crypto self-tests, no relocation, one UART to probe,
 * no check of clocks that QEMU emulates anyway, notices and worse on the slow console but not all that is merely
 * informative. Then what is accounted, checked or hardened at every turn: under TCG the code of it is translated
 * anew in each clone. And what wakes an idle guest up, so that a hundred of them sleep (docs/vm.md has the
 * figures). `append` comes later and wins.
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
 * The guest kernel's command line. `panic=-1` makes a kernel that panics reset at once; QEMU, started with
 * `-no-reboot`, ends then, so that a panic is an event and never a machine that hangs.
 */
export function kernelLine(spec: Pick<VmSpec, 'append' | 'mtus'>): string {
  const mtus = Object.entries(spec.mtus ?? {})
    .filter(([, mtu]) => mtu !== 1500)
    .map(([net, mtu]) => `mtu${net}=${mtu}`)
  return ['console=ttyS0', 'panic=-1', ...fast, ...mtus, spec.append ?? ''].filter(Boolean).join(' ')
}
