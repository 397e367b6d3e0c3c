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
  'printk.time=1', // a line with a time stamp is the kernel's
  // The image is unpacked into half of what is free beside the packed one: with Linux 7.2 and 128 MiB that is just
  // enough. Kernels without this word pass it on to init. /init sets the size that stays.
  'initramfs_options=size=75%',
]

/**
 * What an emulated guest has to translate less for. QEMU finds translated code by its virtual address, so a dynamic
 * program that is loaded at another address each time (`randomize_va_space`) is translated anew each time: 40 ms and
 * 1.8 MiB for a shell that does nothing. And the other processors stay idle: their code would be translated again in
 * each clone, and two that translate code of one page wait for each other in a busy loop. Kernels before 6.7 have no
 * such parameter.
 */
const emulation = ['norandmaps', 'workqueue.unbound_cpus=0']

/**
 * A guest kernel's command line, with these words at its end. With `panic=-1` a kernel that panics resets at once. QEMU
 * runs with `-no-reboot` and ends then, so that a panic is an event, and never a machine that hangs.
 */
export function kernelLineWith(
  words: readonly string[],
  { emulated }: { readonly emulated: boolean },
): string {
  const own = emulated ? [...fast, ...emulation] : fast
  return ['console=ttyS0', 'panic=-1', ...own, ...words].filter(Boolean).join(' ')
}

/** Tells a guest that it becomes a template. */
export const templateWord = 'xcluster_template=1'

/** Tells a guest that its cluster configures it, and runs its scripts afterwards. */
export const memberWord = 'configured=later'

/** Bytes that Linux reads: COMMAND_LINE_SIZE of x86 (arch/x86/include/asm/setup.h) without the NUL. A longer one hangs. */
export const kernelLineLimit = 2047
