// Package program plans what to do about an OwnerProgram, as package campaign does about a Campaign.
// Nothing here reads a clock or talks to anybody.
package program
