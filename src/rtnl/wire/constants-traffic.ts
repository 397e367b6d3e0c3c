/** linux/rtnetlink.h, pkt_sched.h, pkt_cls.h: traffic control, with the kernel's names. */
export const RTM_NEWQDISC = 36
export const RTM_DELQDISC = 37
export const RTM_GETQDISC = 38
export const RTM_NEWTCLASS = 40
export const RTM_DELTCLASS = 41
export const RTM_GETTCLASS = 42
export const RTM_NEWTFILTER = 44
export const RTM_DELTFILTER = 45
export const RTM_GETTFILTER = 46

export const RTNLGRP_TC = 4

export const TC_H_ROOT = 0xffffffff
/** Used by both the ingress and the clsact qdisc. */
export const TC_H_INGRESS = 0xfffffff1

/** tc_ratespec.linklayer. Without it the kernel would need a table of times for 256 sizes. */
export const TC_LINKLAYER_ETHERNET = 1

export const TC_HTB_PROTOVER = 3

export const TC_ACT_PIPE = 3
export const TC_ACT_STOLEN = 4
export const TCA_EGRESS_REDIR = 1
export const TCA_EGRESS_MIRROR = 2

export const TC_U32_TERMINAL = 1
