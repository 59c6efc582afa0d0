using System.Text.Json.Serialization;
using OrderInventory.Notifications.Features;
using OrderInventory.Notifications.Http;
using OrderInventory.ServiceDefaults.Http;

namespace OrderInventory.Notifications;

/// <summary>Serializes requests and responses without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CreateWebhook.Request), TypeInfoPropertyName = "CreateWebhookRequest")]
[JsonSerializable(typeof(PatchWebhook.Document), TypeInfoPropertyName = "PatchWebhookDocument")]
[JsonSerializable(typeof(TestWebhook.Result), TypeInfoPropertyName = "TestWebhookResult")]
[JsonSerializable(typeof(WebhookResponse))]
[JsonSerializable(typeof(Page<WebhookResponse>))]
[JsonSerializable(typeof(ListWebhookDeliveries.Item), TypeInfoPropertyName = "WebhookDeliveryItem")]
[JsonSerializable(typeof(Page<ListWebhookDeliveries.Item>), TypeInfoPropertyName = "WebhookDeliveryPage")]
[JsonSerializable(typeof(CreateStaffMember.Request), TypeInfoPropertyName = "CreateStaffRequest")]
[JsonSerializable(typeof(UpdateStaffMember.Request), TypeInfoPropertyName = "UpdateStaffRequest")]
[JsonSerializable(typeof(StaffResponse))]
[JsonSerializable(typeof(Page<StaffResponse>))]
[JsonSerializable(typeof(PutTemplate.Request), TypeInfoPropertyName = "PutTemplateRequest")]
[JsonSerializable(typeof(PreviewTemplate.Request), TypeInfoPropertyName = "PreviewTemplateRequest")]
[JsonSerializable(typeof(PreviewTemplate.Result), TypeInfoPropertyName = "PreviewTemplateResult")]
[JsonSerializable(typeof(TemplateResponse))]
[JsonSerializable(typeof(Page<TemplateResponse>))]
[JsonSerializable(typeof(ListTemplates.Entry), TypeInfoPropertyName = "TemplateEntry")]
[JsonSerializable(typeof(Page<ListTemplates.Entry>), TypeInfoPropertyName = "TemplatePage")]
internal sealed partial class NotificationsJson : JsonSerializerContext;
