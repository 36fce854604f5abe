package httpapi

import "context"

// CreateSession implements StrictServerInterface.
func (s *Server) CreateSession(ctx context.Context, r CreateSessionRequestObject) (CreateSessionResponseObject, error) {
	session, err := s.Sessions.Create(ctx, r.Body.Code)
	if err != nil {
		return nil, err
	}
	answer := CreateSession200JSONResponse{
		PersonID: session.PersonID, BuyerToken: session.BuyerToken, ExpiresInSeconds: sessionSeconds,
	}
	if session.OwnerToken != "" {
		answer.OwnerToken = &session.OwnerToken
	}
	return answer, nil
}

// CreateOwnerToken implements StrictServerInterface.
func (s *Server) CreateOwnerToken(ctx context.Context, _ CreateOwnerTokenRequestObject) (CreateOwnerTokenResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	token, err := s.Sessions.CreateOwnerToken(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	return CreateOwnerToken200JSONResponse{OwnerToken: token, ExpiresInSeconds: sessionSeconds}, nil
}
