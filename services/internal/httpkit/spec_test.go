package httpkit_test

const spec = `
openapi: 3.1.0
info: {title: shop, version: "1"}
security:
  - buyerToken: []
paths:
  /v1/orders:
    post:
      operationId: placeOrder
      parameters:
        - {name: Idempotency-Key, in: header, required: true, schema: {type: string, pattern: '^[A-Za-z0-9_-]{8,64}$'}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Order'}
      responses: {"201": {description: held}}
  /v1/orders/{id}:
    get:
      operationId: getOrder
      parameters:
        - {name: id, in: path, required: true, schema: {type: string, maxLength: 32}}
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100, default: 20}}
      responses: {"200": {description: ok}}
  /v1/campaigns:
    get:
      operationId: listCampaigns
      security: []
      responses: {"200": {description: ok}}
  /v1/shares/{token}:
    get:
      operationId: getShare
      security: [{buyerToken: []}, {}]
      parameters:
        - {name: token, in: path, required: true, schema: {type: string}}
      responses: {"200": {description: ok}}
  /v1/brands/{id}/approval:
    post:
      operationId: approve
      security: [{staffToken: [operations]}]
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
      responses: {"204": {description: done}}
  /v1/submissions:
    post:
      operationId: submit
      security: []
      requestBody:
        required: true
        content:
          text/csv:
            schema: {type: string}
      responses: {"201": {description: taken}}
components:
  securitySchemes:
    buyerToken: {type: http, scheme: bearer}
    staffToken: {type: http, scheme: bearer}
  schemas:
    Order:
      type: object
      additionalProperties: false
      required: [campaignUid, lines]
      properties:
        campaignUid: {type: string, maxLength: 64}
        note: {type: ["string", "null"], maxLength: 10}
        lines:
          type: array
          minItems: 1
          maxItems: 500
          items: {$ref: '#/components/schemas/Line'}
    Line:
      type: object
      additionalProperties: false
      required: [sku, units]
      properties:
        sku: {type: string, minLength: 1, maxLength: 64}
        units: {type: integer, format: int64, minimum: 1, exclusiveMaximum: 1000}
`
