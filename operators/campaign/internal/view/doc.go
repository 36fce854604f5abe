// Package view shows campaigns as people and programs look at them: a tree, a line for each change, a
// table, or data. It is pure: what a look at the cluster found and the time of the look come in, text
// and data go out.
package view
