package story

import (
	"context"
	"fmt"
	"strings"
)

// membershipFeeFen is ¥398.
const membershipFeeFen = 39_800

func (t *story) ownerJoins(ctx context.Context) error {
	t.Tells("A store owner logs in through WeChat, pays ¥398 through WeChat Pay, and is an owner")
	var err error
	if t.owner, err = t.cast.LogIn(ctx, "wang-fang"); err != nil {
		return err
	}
	membership, err := t.owner.OrderMembership(ctx, "story-member-1")
	if err != nil {
		return err
	}
	if err := t.Expect(membership.FeeFen == membershipFeeFen && membership.Payment != nil, "the fee is %d fen", membership.FeeFen); err != nil {
		return err
	}
	if err := t.cast.Confirm(ctx, membership.Payment.PrepayId, false); err != nil {
		return err
	}
	err = soon(ctx, func(ctx context.Context) error {
		m, err := t.owner.Membership(ctx, membership.MembershipId)
		if err == nil && m.State != "paid" {
			err = fmt.Errorf("the membership is %s", m.State)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := t.owner.TakeOwnerToken(ctx); err != nil {
		return err
	}
	wallet, err := t.owner.Wallet(ctx)
	if err != nil {
		return err
	}
	return t.Expect(wallet.AccruedFen == 0, "the signed notice made an owner; the fee moved no commission")
}

func (t *story) ownerShares(ctx context.Context) error {
	t.Tells("The owner takes a link for a style; anybody who opens it sees price, stock and time left")
	share, err := t.owner.Share(ctx, "story-share-1", t.uid, t.goods[0].styleNo)
	if err != nil {
		return err
	}
	t.shareToken = share.Token
	err = soon(ctx, func(ctx context.Context) error {
		style, err := t.cast.OpenShare(ctx, t.shareToken)
		if err != nil {
			return err
		}
		if len(style.Items) != 2 || style.Campaign.SecondsLeft <= 0 {
			return fmt.Errorf("the link shows %d items and %d seconds", len(style.Items), style.Campaign.SecondsLeft)
		}
		for _, item := range style.Items {
			t.Sees("%s, %s: ¥%d.%02d, %s, %d left", style.Name, item.Size, item.PriceFen/100, item.PriceFen%100, item.Stock, item.LeftUnits)
		}
		return t.Expect(true, "two sizes, %d s left", style.Campaign.SecondsLeft)
	})
	if err != nil {
		return err
	}
	// Another character of the token each time would be as good: the signature covers all of it.
	changed := strings.Map(func(r rune) rune {
		if r == rune(t.shareToken[len(t.shareToken)/2]) {
			return 'A' + (r+1)%26
		}
		return r
	}, t.shareToken)
	_, err = t.cast.OpenShare(ctx, changed)
	return t.Expect(refusedWith(err, "share_token_invalid"), "a changed link is refused: %v", err)
}
