#include "addon.h"

static const struct {
  const char *name;
  napi_callback call;
} functions[] = {
    {"createNamespace", create_namespace},
    {"openIn", open_in},
    {"writeIn", write_in},
    {"socketIn", socket_in},
    {"openTaps", open_taps},
    {"receive", receive_message},
    {"send", send_message},
    {"bindNetlink", bind_netlink},
    {"setOption", set_option},
    {"socketPair", socket_pair},
    {"connectUnix", connect_unix},
    {"getOption", get_option},
    {"createMemfd", create_memfd},
    {"addSeals", add_seals},
    {"flock", lock_file},
    {"duplicate", duplicate},
    {"mount", mount_at},
    {"unmount", unmount_at},
    {"bindAddress", bind_address},
    {"receiveBatch", receive_batch},
    {"sendBatch", send_batch},
    {"createEpoll", create_epoll},
    {"askUdp", ask_udp},
    {"releaseUdp", release_udp},
    {"receiveReady", receive_ready},
    {"disown", disown_fd},
    {"close", close_fd},
    {"closeInPool", close_in_pool},
    {"pollOpen", poll_open},
    {"pollWatch", poll_watch},
    {"pollClose", poll_close},
};

NAPI_MODULE_INIT() {
  if (!prepare_owned(env)) return NULL;
  set(env, exports, "abi", from_integer(env, XCLUSTER_ABI));
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &function) != napi_ok)
      return NULL;
    set(env, exports, functions[i].name, function);
  }
  return exports;
}
