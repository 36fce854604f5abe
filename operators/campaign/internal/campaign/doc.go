// Package campaign plans what to do about a Campaign. Facts go in, an ordered chain of rules is
// asked, and data comes out: what to publish, which status to write, when to look again. Nothing
// here reads a clock or talks to anybody.
package campaign
