/*
 * Says when a cluster is ready, from outside: every node has answered an ICMP echo request on net 0, and node a has
 * exchanged packets with node b on net 1, where the host has no address.
 *
 * On standard input one line: the path of the cluster's network namespace, the numbers of a and b, and those of all
 * nodes, separated by spaces. On standard output: "ready <CLOCK_MONOTONIC in ns>". Ends when its input does.
 *
 * Net 0: echo requests from the host's address straight to the node's Ethernet address (no ARP from us, which every
 * guest would have to look at). A few nodes at a time, those that have not answered yet, the next as soon as one has:
 * the work does not grow with the number of nodes.
 * Net 1: an echo request to a that looks as if b had sent it, put on the bridge. a has to ask for b's Ethernet
 * address, b to answer, and a sends b an echo reply, which is what we wait for.
 *
 * A probe goes out every hundredth of the time that has passed, so the error is the same share of a short time as of a
 * long one, and what waits in the taps of guests that are still booting stays little.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { AT_ONCE = 8, MAX_NODES = 256, SHORTEST_NS = 2000000, SHARE = 100, OUR_ID = 0x7863, HOST = 250 };

struct frame {
	struct ether_header ether;
	struct iphdr ip;
	struct icmphdr icmp;
} __attribute__((packed));

struct net {
	int fd;
	int number;
};

static void fail(const char *what)
{
	fprintf(stderr, "prober: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static struct net open_net(int number, int promiscuous)
{
	char name[IFNAMSIZ];
	snprintf(name, sizeof name, "xcbr%d", number);
	struct net net = { .fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), .number = number };
	int index = (int)if_nametoindex(name);
	if (net.fd < 0 || index == 0)
		fail(name);
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = index };
	if (bind(net.fd, (struct sockaddr *)&address, sizeof address) < 0)
		fail("bind");
	/* A bridge shows us what goes between its ports only when it is promiscuous. */
	struct packet_mreq all = { .mr_ifindex = index, .mr_type = PACKET_MR_PROMISC };
	if (promiscuous && setsockopt(net.fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) < 0)
		fail("promiscuous mode");
	return net;
}

static unsigned short checksum(const void *data, size_t length)
{
	const unsigned char *bytes = data;
	unsigned sum = 0;
	for (size_t i = 0; i < length; i += 2)
		sum += (unsigned)(bytes[i] << 8 | bytes[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((unsigned short)~sum);
}

static unsigned address(int net, int node)
{
	return htonl(192u << 24 | 168u << 16 | (unsigned)net << 8 | (unsigned)node);
}

static void ping(struct net net, int from, int to, const unsigned char *from_mac)
{
	struct frame frame = { .ether.ether_dhost = { 0, 0, 0, 1, net.number, to }, .ether.ether_type = htons(ETHERTYPE_IP) };
	memcpy(frame.ether.ether_shost, from_mac, 6);
	frame.ip = (struct iphdr){
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_ICMP,
		.tot_len = htons(sizeof frame.ip + sizeof frame.icmp),
		.saddr = address(net.number, from), .daddr = address(net.number, to),
	};
	frame.ip.check = checksum(&frame.ip, sizeof frame.ip);
	frame.icmp.type = ICMP_ECHO;
	frame.icmp.un.echo.id = htons(OUR_ID);
	frame.icmp.checksum = checksum(&frame.icmp, sizeof frame.icmp);
	if (send(net.fd, &frame, sizeof frame, 0) >= 0 || errno == ENOBUFS || errno == ENETDOWN)
		return;
	if (errno == ENXIO) /* the bridge is gone: the start was taken back */
		exit(1);
	fail("send");
}

/* The node whose echo reply to `to` came, or -1 when nothing is left to read. Everything else is skipped. */
static int answer(struct net net, int to)
{
	struct frame frame;
	for (;;) {
		ssize_t length = recv(net.fd, &frame, sizeof frame, MSG_DONTWAIT);
		if (length < 0)
			return -1;
		if (length == sizeof frame && frame.ip.protocol == IPPROTO_ICMP && frame.icmp.type == ICMP_ECHOREPLY &&
		    frame.icmp.un.echo.id == htons(OUR_ID) && frame.ip.daddr == address(net.number, to))
			return (int)(ntohl(frame.ip.saddr) & 0xff);
	}
}

static void enter(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		fail(path);
	close(fd);
}

static void bridge_mac(struct net net, unsigned char mac[6])
{
	struct ifreq request = { 0 };
	snprintf(request.ifr_name, IFNAMSIZ, "xcbr%d", net.number);
	if (ioctl(net.fd, SIOCGIFHWADDR, &request) < 0)
		fail("address of the bridge");
	memcpy(mac, request.ifr_hwaddr.sa_data, 6);
}

/* What has not happened yet. */
struct wait {
	struct net control, cluster;
	unsigned char host_mac[6], b_mac[6];
	int a, b, exchanged;
	int waiting[MAX_NODES], left;
};

static void read_task(struct wait *wait)
{
	char line[4096], *save = NULL;
	if (!fgets(line, sizeof line, stdin))
		exit(0);
	enter(strtok_r(line, " \n", &save));
	wait->a = atoi(strtok_r(NULL, " \n", &save));
	wait->b = atoi(strtok_r(NULL, " \n", &save));
	for (char *word; wait->left < MAX_NODES && (word = strtok_r(NULL, " \n", &save));)
		wait->waiting[wait->left++] = atoi(word);
	wait->control = open_net(0, 0);
	wait->cluster = open_net(1, 1);
	wait->exchanged = wait->a == wait->b;
	bridge_mac(wait->control, wait->host_mac);
	memcpy(wait->b_mac, (unsigned char[]){ 0, 0, 0, 1, 1, (unsigned char)wait->b }, 6);
}

static void probe(const struct wait *wait)
{
	for (int i = 0; i < wait->left && i < AT_ONCE; i++)
		ping(wait->control, HOST, wait->waiting[i], wait->host_mac);
	if (!wait->exchanged)
		ping(wait->cluster, wait->b, wait->a, wait->b_mac);
}

static void read_answers(struct wait *wait)
{
	for (int node; (node = answer(wait->control, HOST)) >= 0;)
		for (int i = 0; i < wait->left; i++)
			if (wait->waiting[i] == node) {
				wait->waiting[i] = wait->waiting[--wait->left];
				if (wait->left >= AT_ONCE) /* the one moved here was not among those that are tried */
					ping(wait->control, HOST, wait->waiting[i], wait->host_mac);
				break;
			}
	for (int node; (node = answer(wait->cluster, wait->b)) >= 0;)
		wait->exchanged |= node == wait->a;
}

int main(void)
{
	struct wait wait = { .left = 0 };
	read_task(&wait);
	long long began = now_ns(), next = began;
	while (wait.left > 0 || !wait.exchanged) {
		long long now = now_ns();
		if (now >= next) {
			probe(&wait);
			long long pause = (now - began) / SHARE;
			next = now + (pause > SHORTEST_NS ? pause : SHORTEST_NS);
		}
		struct pollfd ready[] = {
			{ wait.control.fd, POLLIN, 0 }, { wait.cluster.fd, POLLIN, 0 }, { 0, POLLIN, 0 },
		};
		struct timespec timeout = { (next - now) / 1000000000LL, (next - now) % 1000000000LL };
		if (ppoll(ready, 3, &timeout, NULL) < 0 && errno != EINTR)
			fail("poll");
		if (ready[2].revents)
			return 0;
		read_answers(&wait);
	}
	printf("ready %lld\n", now_ns());
	return 0;
}
