{
  'target_defaults': {
    'cflags': ['-std=gnu11', '-Wall', '-Wextra', '-Wshadow', '-Wconversion', '-Werror'],
    'defines': ['_GNU_SOURCE'],
    # With it open becomes open64 and fcntl fcntl64, which musl does not have. 64-bit machines need no such names.
    'defines!': ['_FILE_OFFSET_BITS=64'],
  },
  'targets': [
    {
      'target_name': 'xcluster',
      'defines': ['NAPI_VERSION=8'],
      # node-gyp links as if for C++.
      'ldflags': ['-Wl,--as-needed'],
      'sources': [
        'native/addon/addon.c',
        'native/addon/values.c',
        'native/addon/namespace.c',
        'native/addon/tap.c',
        'native/addon/message.c',
        'native/addon/socket.c',
        'native/addon/inet.c',
        'native/addon/file.c',
        'native/addon/mount.c',
        'native/addon/owned.c',
        'native/addon/poll.c',
      ],
    },
    {
      'target_name': 'xcluster-launcher',
      'type': 'executable',
      'sources': ['native/launcher/main.c', 'native/launcher/options.c'],
      # It starts in front of every QEMU: without a dynamic linker in half the time, and with any C library.
      'ldflags': ['-static', '-s'],
    },
    {
      # For QEMU, which loads it, whatever C library that has.
      'target_name': 'xcluster-qemu',
      'type': 'shared_library',
      'product_extension': 'so',
      'product_dir': '<(PRODUCT_DIR)',
      'sources': ['native/qemu/trim.c'],
      'conditions': [
        ['target_arch=="x64"', {'sources': ['native/qemu/zygote.c', 'native/qemu/descriptors.c', 'native/qemu/machine.c']}],
      ],
      'ldflags': ['-nostdlib', '-Wl,--as-needed', '-s'],
    },
    {
      # For the guest, whatever libraries that has.
      'target_name': 'xcluster-guest',
      'type': 'executable',
      'sources': ['native/guest/main.c', 'native/guest/steps.c', 'native/guest/netlink.c', 'native/guest/ask.c', 'native/guest/commands.c', 'native/guest/launch.c', 'native/guest/put.c', 'native/guest/get.c'],
      'ldflags': ['-static', '-s'],
    },
  ],
}
