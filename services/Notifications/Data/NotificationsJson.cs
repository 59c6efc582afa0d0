using System.Text.Json.Serialization;
using OrderInventory.Notifications.Features;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications.Data;

/// <summary>How requests and answers are read and written, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CreateWebhook.Request), TypeInfoPropertyName = "CreateWebhookRequest")]
[JsonSerializable(typeof(PatchWebhook.Document), TypeInfoPropertyName = "PatchWebhookDocument")]
[JsonSerializable(typeof(WebhookResponse))]
[JsonSerializable(typeof(Page<WebhookResponse>))]
[JsonSerializable(typeof(ListWebhookDeliveries.Item), TypeInfoPropertyName = "WebhookDeliveryItem")]
[JsonSerializable(typeof(Page<ListWebhookDeliveries.Item>), TypeInfoPropertyName = "WebhookDeliveryPage")]
internal sealed partial class NotificationsJson : JsonSerializerContext;
