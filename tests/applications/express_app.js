// Express with given settings; tells what it takes a request for.
//
//   node express_app.js .../node_modules/express 'app.set(...)'
//
// Prints its port.
'use strict';
const express = require(process.argv[2]);

const app = express();
new Function('app', process.argv[3])(app);
app.get('/', (request, response) => {
  response.json({
    address: request.ip,
    scheme: request.protocol,
    host: request.host,
    url: `${request.protocol}://${request.host}${request.originalUrl}`,
  });
});
const server = app.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
