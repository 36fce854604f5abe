//go:build mutant_any_merchant

package wechatpay

// isOurs takes every merchant's money for ours, on purpose.
func (c *Client) isOurs(string) bool { return true }
