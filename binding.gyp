{
  'target_defaults': {
    'cflags': ['-std=gnu11', '-Wall', '-Wextra', '-Wshadow', '-Wconversion', '-Werror'],
    'defines': ['_GNU_SOURCE'],
  },
  'targets': [
    {
      'target_name': 'xcluster',
      'defines': ['NAPI_VERSION=8'],
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
        'native/addon/poll.c',
      ],
    },
    {
      'target_name': 'xcluster-launcher',
      'type': 'executable',
      'sources': ['native/launcher/main.c', 'native/launcher/options.c'],
    },
    {
      # For the guest, whatever libraries that has.
      'target_name': 'xcluster-guest',
      'type': 'executable',
      'sources': ['native/guest/main.c', 'native/guest/steps.c', 'native/guest/netlink.c'],
      'ldflags': ['-static', '-s'],
    },
  ],
}
