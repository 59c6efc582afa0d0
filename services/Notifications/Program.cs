using MimeKit;
using OrderInventory.Contracts;
using OrderInventory.Contracts.Customers;
using OrderInventory.Contracts.Inventory;
using OrderInventory.Contracts.Orders;
using OrderInventory.Messaging;
using OrderInventory.Notifications;
using OrderInventory.Notifications.Channels;
using OrderInventory.Notifications.Clients;
using OrderInventory.Notifications.Data;
using OrderInventory.Notifications.Features;
using OrderInventory.ServiceDefaults;
using OrderInventory.ServiceDefaults.Data;
using OrderInventory.ServiceDefaults.Text;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddServiceDatabase<NotificationsDb>("notificationsdb");
var webhooks = new WebhookInterest();
builder.Services.AddSingleton(webhooks);
builder.Services.AddSingleton<WebhookDirectory>();
builder.Services.AddHostedService(services => services.GetRequiredService<WebhookDirectory>());
builder.AddIdempotencyCleaner();
builder.AddNotificationGauges();
builder.AddMessaging("notifications", messaging => messaging
    .Consumes<OrderCreated, OrderEventsHandler>(OrderCreated.Topic, OrderCreated.Type, EventsJson.Default.OrderCreated)
    .Consumes<OrderUpdated, OrderEventsHandler>(
        OrderUpdated.Topic, OrderUpdated.Type, EventsJson.Default.OrderUpdated,
        order => OrderEventsHandler.Concerns(order) || webhooks.IsSubscribed(OrderUpdated.Type))
    .Consumes<InventoryUpdated, InventoryUpdatedHandler>(
        InventoryUpdated.Topic, InventoryUpdated.Type, EventsJson.Default.InventoryUpdated,
        stock => InventoryUpdatedHandler.Concerns(stock) || webhooks.IsSubscribed(InventoryUpdated.Type))
    .Consumes<CustomerUpdated, CustomerUpdatedHandler>(
        CustomerUpdated.Topic, CustomerUpdated.Type, EventsJson.Default.CustomerUpdated));

builder.Services.AddOptions<NotificationOptions>().BindConfiguration("Notifications").ValidateDataAnnotations()
    .Validate(options => MailboxAddress.TryParse(options.From, out var from) && EmailAddress.IsValid(from.Address), "Notifications:From is not an e-mail address.")
    .Validate(options => options.Sms.Url is not { } url || (url.IsAbsoluteUri && url.Scheme is "http" or "https"), "Notifications:Sms:Url is not an http or https address.")
    .ValidateOnStart();
builder.Services.AddSingleton<SendSignal>();
builder.Services.AddSingleton<NotificationRecorder>();
builder.Services.AddSingleton<NotificationQueue>();
builder.Services.AddSingleton<WebhookRecorder>();
builder.Services.AddSingleton<WebhookQueue>();
builder.Services.AddSingleton<WebhookChannel>();
builder.Services.AddSingleton<StaffRecorder>();
builder.Services.AddSingleton<TemplateStore>();
builder.Services.AddSingleton<MessageRenderer>();
builder.Services.AddNotificationsClients();
builder.Services.AddSingleton<MessageFacts>();
builder.AddEmailTransport();
builder.AddSmsProvider();
builder.Services.AddHostedService<NotificationCleaner>();
builder.Services.AddSenderOf<EmailChannel>();
builder.Services.AddSenderOf<SmsChannel>();
builder.Services.AddHostedService<SendWebhooks>();
builder.Services.AddHostedService<AnnounceLowStock>();
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, NotificationsJson.Default));
builder.AddStream();
builder.Services.AddOpenApi();

var app = builder.Build();
app.MapServiceDefaults();
app.MapOpenApi().AllowAnonymous();
app.MapNotifications();
app.MapStream();
app.RunUntilStopped();
