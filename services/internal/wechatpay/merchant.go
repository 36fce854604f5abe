//go:build !mutant_any_merchant

package wechatpay

// isOurs reports whether WeChat Pay's word is about this merchant. All merchants'
// notices are signed with the same key.
func (c *Client) isOurs(mchID string) bool { return mchID == c.mchID }
