/** Said once, when the first one is being made. */
export const whyTemplates = 'one VM of each kind is booted now and kept; from then on nodes are clones of it'
