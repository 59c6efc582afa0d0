using OrderInventory.Contracts.Customers;
using OrderInventory.Customers;
using OrderInventory.Customers.Data;
using OrderInventory.Customers.Features;
using OrderInventory.Messaging;
using OrderInventory.Messaging.Inbox;
using OrderInventory.Messaging.Outbox;
using OrderInventory.ServiceDefaults;
using OrderInventory.ServiceDefaults.Data;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddServiceDatabase<CustomersDb>("customersdb");
builder.AddMessaging("customers", messaging => messaging.Uses(CustomerUpdated.Topic));
builder.AddIdempotencyCleaner();
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, CustomersJson.Default));
builder.Services.AddOpenApi();

var app = builder.Build();
app.MapServiceDefaults();
app.MapOpenApi().AllowAnonymous();
app.MapDeadLetters("customers");
app.MapOutbox("customers");
app.MapCustomers();
app.RunUntilStopped();
