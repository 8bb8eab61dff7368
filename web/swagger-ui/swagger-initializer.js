// Everything comes from this server: no validator badge, no other host.
window.ui = SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  displayOperationId: false,
  validatorUrl: null,
  // Long answers stay readable and the schemas do not push the operations away.
  defaultModelsExpandDepth: 0,
});
