from django.urls import path

from training.views import (
    certificates,
    courses,
    duties,
    editions,
    exports,
    extra_time,
    fresh,
    gallery,
    managing,
    next_edition,
    policies,
    quizzes,
    recalls,
    replays,
    uploads,
    verifying,
)

app_name = "training"
urlpatterns = [
    # courses/
    path("courses/", courses.course_list, name="course_list"),
    path("courses/<slug:course>/", courses.course, name="course"),
    path("courses/<slug:course>/editions/<int:number>/", editions.edition, name="edition"),
    path("courses/<slug:course>/<slug:module>/quiz/", quizzes.quiz, name="quiz"),
    path("courses/<slug:course>/<slug:module>/<slug:lesson>/", courses.lesson, name="lesson"),
    path("courses/<slug:course>/<slug:module>/<slug:lesson>/reading/", courses.reading, name="reading"),
    path("editions/", editions.edition_list, name="edition_list"),
    path("components/", gallery.components, name="components"),
    # attempts/
    path("attempts/<str:uid>/", quizzes.attempt, name="attempt"),
    path("attempts/<str:uid>/answers/<int:position>/", quizzes.answer, name="answer"),
    path("attempts/<str:uid>/result/", quizzes.result, name="result"),
    path("attempts/<str:uid>/as-shown/", replays.as_shown, name="as_shown"),
    path("attempts/<str:uid>/as-shown.pdf", replays.as_shown_file, name="as_shown_file"),
    path("people/<str:uid>/attempts/", replays.attempt_list, name="attempt_list"),
    # extra-time/
    path("extra-time/", extra_time.extra_time_list, name="extra_time_list"),
    path("extra-time/<str:uid>/end/", extra_time.extra_time_end, name="extra_time_end"),
    path("editions/<slug:course>/", next_edition.next_edition, name="next_edition"),
    path("editions/<slug:course>/publish/", next_edition.edition_publish, name="edition_publish"),
    path("editions/<slug:course>/banks/", next_edition.connect, name="connect"),
    path("editions/<slug:course>/banks/<int:pk>/end/", next_edition.disconnect, name="disconnect"),
    # uploads/: courses that authors send
    path("uploads/", uploads.upload_list, name="upload_list"),
    path("uploads/<str:uid>/", uploads.upload, name="upload"),
    path("uploads/<str:uid>/publish/", uploads.upload_publish, name="upload_publish"),
    path("uploads/<str:uid>/drop/", uploads.upload_drop, name="upload_drop"),
    path("uploads/<str:uid>/<slug:module>/questions/", uploads.upload_questions, name="upload_questions"),
    path("uploads/<str:uid>/<slug:module>/<slug:lesson>/", uploads.upload_lesson, name="upload_lesson"),
    # fresh/
    path("fresh/", fresh.fresh, name="fresh"),
    path("fresh/beliefs/", fresh.beliefs_page, name="beliefs"),
    path("fresh/from-mail/<str:token>/", fresh.fresh_link, name="fresh_link"),
    # rules/ and what follows from them
    path("rules/", duties.rule_list, name="rule_list"),
    path("rules/new/", duties.rule_new, name="rule_new"),
    path("rules/run/", duties.rule_run, name="rule_run"),
    path("rules/<int:pk>/", duties.rule, name="rule"),
    path("people/<str:uid>/duties/", duties.person_duties, name="person_duties"),
    path("exemptions/", duties.exemption_list, name="exemption_list"),
    path("exemptions/<str:uid>/decide/", duties.exemption_decide, name="exemption_decide"),
    path("completions/", duties.completion_import, name="completion_import"),
    # policies/
    path("policies/", policies.policy_list, name="policy_list"),
    path("policies/new/", policies.policy_new, name="policy_new"),
    path("policies/<slug:slug>/", policies.policy, name="policy"),
    path("policies/<slug:slug>/signatures/", policies.policy_signatures, name="policy_signatures"),
    # recalls/
    path("recalls/", recalls.recall_list, name="recall_list"),
    path("recalls/of/<slug:bank>/<slug:question>/", recalls.recall_begin, name="recall_begin"),
    path("recalls/<str:uid>/", recalls.recall, name="recall"),
    path("recalls/<str:uid>/settle/", recalls.recall_settle, name="recall_settle"),
    path("recalls/<str:uid>/send-back/", recalls.recall_send_back, name="recall_send_back"),
    # certificates
    path("certificates/", certificates.certificate_list, name="certificate_list"),
    path("certificates/<str:serial>.pdf", certificates.certificate_file, name="certificate_file"),
    path("certificates/<str:serial>.jwt", certificates.badge_file, name="badge_file"),
    path("certificates/everybody/", managing.certificate_search, name="certificate_search"),
    path("certificates/<str:serial>/", managing.certificate, name="certificate"),
    path("certificates/<str:serial>/revoke/", managing.certificate_revoke, name="certificate_revoke"),
    path("certificates/<str:serial>/reissue/", managing.certificate_reissue, name="certificate_reissue"),
    path("verify/", verifying.verify_form, name="verify_form"),
    path("verify/keys.pem", verifying.signing_keys, name="signing_keys"),
    path("verify/status/<int:number>.jwt", verifying.status_list, name="status_list"),
    path("verify/<str:serial>/", verifying.verify, name="verify"),
    path(".well-known/did.json", verifying.did_document, name="did_document"),
    # exports/
    path("exports/", exports.export_list, name="export_list"),
    path("exports/<str:uid>-<int:number>.zip", exports.export_file, name="export_file"),
]
