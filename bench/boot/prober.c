/*
 * Reports when a cluster is ready, from outside: every node has answered an ICMP echo request on net 0, and
 * node a has exchanged packets with node b on net 1, where the host has no address.
 *
 * Standard input has one line: the path of the cluster's network namespace, the numbers of a and b, and those
 * of all nodes, separated by spaces. Standard output: "ready <CLOCK_MONOTONIC in ns>". The program ends with
 * its input.
 *
 * All probes are written into the tap of the node that they are for. A bridge floods frames to addresses that
 * it has not learnt yet: each probe would be work for all nodes, and with a hundred nodes most of the work
 * there is.
 * Net 0: echo requests from the host's address. A few nodes at a time are probed, and the next as soon as one
 * has answered: the work does not grow with the number of nodes.
 * Net 1, once a and b have answered on net 0: an ARP request and an echo request to a that look as if b had
 * sent them, and the same in the other direction, until an echo reply of each to the other has crossed the
 * bridge. The ARP request goes first, because it tells a the address of b: a guest that sends an ARP request
 * before the other is up repeats it only a second later.
 *
 * A probe is sent each time 1 % more time has passed. So the error is the same share of a short time as of a
 * long one, and few frames wait in the taps of guests that are still booting.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
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
	int *taps; /* by node; 0 when not looked up yet */
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
	net.taps = calloc(MAX_NODES, sizeof *net.taps);
	int index = (int)if_nametoindex(name);
	if (net.fd < 0 || index == 0 || !net.taps)
		fail(name);
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = index };
	if (bind(net.fd, (struct sockaddr *)&address, sizeof address) < 0)
		fail("bind");
	/* A bridge shows frames between its ports only when it is promiscuous. */
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

/* Writes into the tap of a node, if it exists by now. */
static void put(struct net net, int to, const void *frame, size_t length)
{
	char name[IFNAMSIZ];
	snprintf(name, sizeof name, "xcbr%d_t%d", net.number, to);
	if (net.taps[to] == 0 && (net.taps[to] = (int)if_nametoindex(name)) == 0)
		return;
	struct sockaddr_ll tap = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_ifindex = net.taps[to] };
	if (sendto(net.fd, frame, length, 0, (struct sockaddr *)&tap, sizeof tap) >= 0)
		return;
	if (errno == ENXIO) /* the tap is gone: the start was undone */
		exit(1);
	if (errno != ENOBUFS && errno != ENETDOWN)
		fail(name);
}

static struct ether_header header(struct net net, int to, const unsigned char *from_mac, int type)
{
	struct ether_header header = { .ether_dhost = { 0, 0, 0, 1, net.number, to }, .ether_type = htons(type) };
	memcpy(header.ether_shost, from_mac, 6);
	return header;
}

static void ping(struct net net, int from, int to, const unsigned char *from_mac)
{
	struct frame frame = { .ether = header(net, to, from_mac, ETHERTYPE_IP) };
	frame.ip = (struct iphdr){
		.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_ICMP,
		.tot_len = htons(sizeof frame.ip + sizeof frame.icmp),
		.saddr = address(net.number, from), .daddr = address(net.number, to),
	};
	frame.ip.check = checksum(&frame.ip, sizeof frame.ip);
	frame.icmp.type = ICMP_ECHO;
	frame.icmp.un.echo.id = htons(OUR_ID);
	frame.icmp.checksum = checksum(&frame.icmp, sizeof frame.icmp);
	put(net, to, &frame, sizeof frame);
}

/* The ARP request that `from` would send to `to`. It carries the address of `from`. */
static void introduce(struct net net, int from, int to)
{
	unsigned char from_mac[6] = { 0, 0, 0, 1, net.number, from };
	unsigned from_address = address(net.number, from), to_address = address(net.number, to);
	struct {
		struct ether_header ether;
		struct ether_arp arp;
	} __attribute__((packed)) frame = { .ether = header(net, to, from_mac, ETHERTYPE_ARP) };
	frame.arp.ea_hdr = (struct arphdr){ htons(ARPHRD_ETHER), htons(ETHERTYPE_IP), 6, 4, htons(ARPOP_REQUEST) };
	memcpy(frame.arp.arp_sha, from_mac, 6);
	memcpy(frame.arp.arp_spa, &from_address, 4);
	memcpy(frame.arp.arp_tpa, &to_address, 4);
	put(net, to, &frame, sizeof frame);
	ping(net, from, to, from_mac);
}

/* The node whose echo reply arrived, and its destination, or -1 when nothing is left to read. Other frames
 * are skipped. */
static int answer(struct net net, int *to)
{
	struct frame frame;
	for (;;) {
		ssize_t length = recv(net.fd, &frame, sizeof frame, MSG_DONTWAIT);
		if (length < 0)
			return -1;
		if (length == sizeof frame && frame.ip.protocol == IPPROTO_ICMP && frame.icmp.type == ICMP_ECHOREPLY &&
		    frame.icmp.un.echo.id == htons(OUR_ID)) {
			*to = (int)(ntohl(frame.ip.daddr) & 0xff);
			return (int)(ntohl(frame.ip.saddr) & 0xff);
		}
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

/* The answers that have not come yet. */
struct wait {
	struct net control, cluster;
	unsigned char host_mac[6];
	int a, b, a_answered, b_answered;
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
	wait->a_answered = wait->b_answered = wait->a == wait->b;
	bridge_mac(wait->control, wait->host_mac);
}

static int waits_for(const struct wait *wait, int node)
{
	for (int i = 0; i < wait->left; i++)
		if (wait->waiting[i] == node)
			return 1;
	return 0;
}

static void probe(const struct wait *wait)
{
	for (int i = 0; i < wait->left && i < AT_ONCE; i++)
		ping(wait->control, HOST, wait->waiting[i], wait->host_mac);
	/* While one of the two has not sent anything, the other's frames to it would be flooded. */
	if (waits_for(wait, wait->a) || waits_for(wait, wait->b))
		return;
	if (!wait->a_answered)
		introduce(wait->cluster, wait->b, wait->a);
	if (!wait->b_answered)
		introduce(wait->cluster, wait->a, wait->b);
}

static void read_answers(struct wait *wait)
{
	for (int to, node; (node = answer(wait->control, &to)) >= 0;)
		for (int i = 0; i < wait->left; i++)
			if (wait->waiting[i] == node) {
				wait->waiting[i] = wait->waiting[--wait->left];
				if (wait->left >= AT_ONCE) /* the node moved here was not being probed */
					ping(wait->control, HOST, wait->waiting[i], wait->host_mac);
				break;
			}
	for (int to, node; (node = answer(wait->cluster, &to)) >= 0;) {
		wait->a_answered |= node == wait->a && to == wait->b;
		wait->b_answered |= node == wait->b && to == wait->a;
	}
}

int main(void)
{
	struct wait wait = { .left = 0 };
	read_task(&wait);
	long long began = now_ns(), next = began;
	while (wait.left > 0 || !wait.a_answered || !wait.b_answered) {
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
